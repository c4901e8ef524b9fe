/**
 * Exporting a report to a file in Storage.
 *   GET                       the reports there are, with the filters of each
 *   POST                      an export
 *   POST {job_id}, secret key  a slice of an export to go on with
 */
import { answerExport } from "../../shared/exports/answer_export.ts";
import { handle } from "../../shared/http/handle.ts";

Deno.serve(handle("export", answerExport()));
