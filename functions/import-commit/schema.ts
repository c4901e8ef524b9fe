/** What goes into `POST import-commit`: a commit of a check, or a slice to go on with. */
import { z } from "zod";

export { CommitRequest } from "../../shared/imports/import_request.ts";

/** A slice to go on with, posted by the database with the secret key. */
export const SliceRequest = z.strictObject({ job_id: z.uuid() });
