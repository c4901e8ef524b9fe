/** What goes into `POST import` besides a request for an import. */
import { z } from "zod";

/** A slice to go on with, posted by the database with the secret key. */
export const SliceRequest = z.strictObject({ job_id: z.uuid() });
