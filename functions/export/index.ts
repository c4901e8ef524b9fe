/**
 * Exporting a report to a file in Storage.
 *   GET                       the reports there are, with the filters of each
 *   POST                      an export
 *   POST {job_id}, secret key  a slice of an export to go on with
 */
import { answerExport } from "../../shared/exports/answer_export.ts";
import { handle } from "../../shared/http/handle.ts";
import { outliveStrayErrors } from "../../shared/http/outlive_stray_errors.ts";

outliveStrayErrors("export");
Deno.serve(handle("export", answerExport()));
