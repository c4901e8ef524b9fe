/** A slice to go on with, posted by the database with the secret key. */
import { z } from "zod";

export const SliceRequest = z.strictObject({ job_id: z.uuid() });
