/**
 * Importing a file: what can be imported, a template, and the check of a file (a dry run by the real write).
 *   GET                          the datasets the caller may use
 *   GET ?dataset=D&template=csv  an empty file with the headings
 *   POST                         a check of a file in Storage, or of one that comes with the request
 *   POST {job_id}, secret key    a slice of a check to go on with
 */
import { handle } from "../../shared/http/handle.ts";
import { outliveStrayErrors } from "../../shared/http/outlive_stray_errors.ts";
import { answerImport } from "../../shared/imports/answer_import.ts";

outliveStrayErrors("import");
Deno.serve(handle("import", answerImport()));
