/**
 * What a check found → the first problems as rows of the API, all of them as problems.csv in Storage, and the result.
 * May run again after a death: everything is replaced.
 */
import { copyOut } from "../jobs/copy_out.ts";
import type { Slice } from "../jobs/slice.ts";
import type { CheckingCursor, Layout } from "./check_cursor.ts";
import { maskPreview } from "./mask_preview.ts";
import { PROBLEM_HEADINGS } from "./match_columns.ts";
import type { ResolvedRequest } from "./resolve_request.ts";
import { secondSession } from "./second_session.ts";
import { countImport, PHASES, problemsFileQuery, publishProblems } from "./staging.ts";
import { storageRequest } from "./storage_request.ts";

export async function reportCheck(slice: Slice, { dataset }: ResolvedRequest, cursor: CheckingCursor) {
  const importId = slice.job.id;
  const { layout, counts } = cursor;
  const { info } = layout;
  slice.progress({ phase: "reporting", done: cursor.rows, total: cursor.rows });
  const valid = counts.inserted + counts.updated + counts.unchanged;
  // At once where there are two sessions; else one after the other.
  const beside = await secondSession(slice) ?? slice.sql;
  const [problems_file, { rows, invalid, problemsByCode }] = await Promise.all([
    cursor.rows > valid ? writeProblemsFile(slice, layout) : null,
    countImport(beside, importId, PHASES.check),
    publishProblems(beside, slice, { importId, phases: PHASES.check }),
  ]);
  return {
    rows,
    valid: rows - invalid,
    invalid,
    would: { insert: counts.inserted, update: counts.updated, unchanged: counts.unchanged },
    problems_by_code: problemsByCode,
    preview: maskPreview(dataset, cursor.preview),
    columns: { mapped: layout.mapped, ignored: layout.ignored, missing: layout.missing },
    problems_file,
    guarantee: cursor.guarantee,
    ...(info.sheet === undefined ? {} : { sheet: info.sheet, hidden_rows: cursor.hiddenRows }),
    ...(info.encoding === undefined ? {} : { encoding: info.encoding }),
    ...(info.delimiter === undefined ? {} : { delimiter: info.delimiter }),
  };
}

async function writeProblemsFile(
  slice: Slice,
  { headings, width }: Layout,
): Promise<{ bucket: string; path: string }> {
  const file = { bucket: "exports", path: `${slice.job.org_id}/${slice.job.id}/problems.csv` };
  // A file that was corrected brings the columns of the last problems.csv along.
  const places = Array.from({ length: width }, (_, place) => place)
    .filter((place) => !(PROBLEM_HEADINGS as readonly string[]).includes(headings[place] ?? ""));
  const query = await problemsFileQuery(slice.sql, slice.job.id, places);
  await slice.asOwner((transaction) =>
    copyOut(transaction, query, async (rows) => {
      const response = await storageRequest(`/object/${file.bucket}/${file.path}`, {
        method: "POST",
        headers: { "content-type": "text/csv", "x-upsert": "true" },
        body: ReadableStream.from(withHeadings(places.map((place) => headings[place] ?? ""), rows)),
        signal: slice.signal,
      });
      await response.body?.cancel();
      if (!response.ok) {
        throw new Error(`Cannot write problems.csv: found status ${response.status} from Storage`);
      }
    })
  );
  return file;
}

/** A byte order mark, so that spreadsheets read it as UTF-8, the file's own headings, ours, and the rows. */
async function* withHeadings(
  headings: string[],
  rows: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const all = [...headings, ...PROBLEM_HEADINGS];
  yield new TextEncoder().encode(`\ufeff${all.map(quote).join(",")}\n`);
  yield* rows;
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
