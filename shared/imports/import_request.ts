/** What a request for an import says. Dataset, scope and the dataset's own options have schemas of their own. */
import { z } from "zod";

export const ImportOptions = z.looseObject({
  mode: z.enum(["insert", "upsert", "update"]).optional(),
  sheet: z.string().min(1).max(100).optional(),
  header_row: z.int().min(1).max(1_048_576).optional(),
  delimiter: z.string().length(1).optional(),
  encoding: z.string().min(1).max(40).optional(),
  columns: z.record(z.string(), z.string().nullable()).optional(),
  date_order: z.enum(["dmy", "mdy", "ymd"]).optional(),
  decimal: z.enum([".", ","]).optional(),
  stop_after_problems: z.int().min(1).optional(),
});
export type ImportOptions = z.output<typeof ImportOptions>;

/** The body of a multipart request's field `request`; the file is a field of its own. */
export const ImportRequestWithoutFile = z.strictObject({
  dataset: z.string().min(1).max(100),
  scope: z.record(z.string(), z.unknown()).optional(),
  options: ImportOptions.optional(),
});

export const ImportRequest = ImportRequestWithoutFile.extend({
  file: z.strictObject({ bucket: z.literal("imports"), path: z.string().min(1).max(1024) }),
});
export type ImportRequest = z.output<typeof ImportRequest>;

export const CommitRequest = z.strictObject({
  import_id: z.uuid(),
  policy: z.enum(["all_or_nothing", "valid_rows", "stop_after"]).default("all_or_nothing"),
  stop_after: z.int().min(1).optional(),
}).refine((request) => (request.policy === "stop_after") === (request.stop_after !== undefined), {
  path: ["stop_after"],
  message: 'expected with the policy "stop_after", and only with it',
});
export type CommitRequest = z.output<typeof CommitRequest>;
