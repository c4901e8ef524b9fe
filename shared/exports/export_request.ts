/** What a request for an export says. Filters have a schema of the report's own. */
import { z } from "zod";

export const ExportRequest = z.strictObject({
  report: z.string().min(1).max(100),
  format: z.string().min(1).max(20),
  filters: z.record(z.string(), z.unknown()).optional(),
  /** The report's columns by name, in the order of the file. @default all */
  columns: z.array(z.string().min(1).max(100)).min(1).max(200).optional(),
});

export type ExportRequest = z.output<typeof ExportRequest>;
