/**
 * What a check found → the first problems as rows of the API, all of them as problems.csv in Storage, and the result.
 * May run again after a death: everything is replaced.
 */
import { copyOut } from "../jobs/copy_out.ts";
import type { Slice } from "../jobs/slice.ts";
import { type CheckingCursor, type Layout, validRows } from "./check_cursor.ts";
import { maskPreview } from "./mask_preview.ts";
import { PROBLEM_HEADINGS } from "./match_columns.ts";
import type { ResolvedRequest } from "./resolve_request.ts";
import { secondSession } from "./second_session.ts";
import { countProblems, PHASES, problemsFileQuery, publishProblems, suggestReferences } from "./staging.ts";
import { readRefusal, storageRequest, writeFailure } from "./storage_request.ts";

/** What one isolate has time to make and send; of more problems the file has the first. */
const MAX_FILE_BYTES = 50_000_000;
const MAX_FILE_ROWS = 500_000;
const ADVICE = 'have its limit raised, or end the check sooner with the option "stop_after_problems"';

export async function reportCheck(slice: Slice, { dataset }: ResolvedRequest, cursor: CheckingCursor) {
  const importId = slice.job.id;
  const { layout, rows, counts } = cursor;
  const { info } = layout;
  slice.progress({ phase: "reporting", done: rows, total: rows });
  const valid = validRows(cursor);
  if (rows > valid) await slice.sql.begin((transaction) => suggestReferences(transaction, slice));
  // At once where there are two sessions; else one after the other.
  const beside = await secondSession(slice) ?? slice.sql;
  const [written, { invalid, byCode }] = await Promise.all([
    rows > valid ? writeProblemsFile(slice, layout, rows - valid) : null,
    countProblems(beside, importId),
    publishProblems(beside, slice, { importId, phases: PHASES.check }),
  ]);
  return {
    rows,
    valid: rows - invalid,
    invalid,
    would: { insert: counts.inserted, update: counts.updated, unchanged: counts.unchanged },
    problems_by_code: byCode,
    preview: maskPreview(dataset, cursor.preview),
    columns: { mapped: layout.mapped, ignored: layout.ignored, missing: layout.missing },
    problems_file: written && { bucket: written.bucket, path: written.path },
    ...(written?.cut ? { problems_file_cut: true } : {}),
    guarantee: cursor.guarantee,
    ...(info.sheet === undefined ? {} : { sheet: info.sheet, hidden_rows: cursor.hiddenRows }),
    ...(info.encoding === undefined ? {} : { encoding: info.encoding }),
    ...(info.delimiter === undefined ? {} : { delimiter: info.delimiter }),
  };
}

interface ProblemsFile {
  bucket: string;
  path: string;
  /** Whether it ends before the last problem: there would have been more than a file may have. */
  cut: boolean;
}

async function writeProblemsFile(
  slice: Slice,
  { headings, width }: Layout,
  rowCount: number,
): Promise<ProblemsFile> {
  const file = { bucket: "exports", path: `${slice.job.org_id}/${slice.job.id}/problems.csv` };
  // A file that was corrected brings the columns of the last problems.csv along.
  const places = Array.from({ length: width }, (_, place) => place)
    .filter((place) => !(PROBLEM_HEADINGS as readonly string[]).includes(headings[place] ?? ""));
  const query = await problemsFileQuery(slice.sql, slice.job.id, places);
  const text = {
    headings: places.map((place) => headings[place] ?? ""),
    limit: Math.min(slice.settings.export_bytes, MAX_FILE_BYTES),
    cut: rowCount > MAX_FILE_ROWS,
  };
  await slice.asOwner((transaction) =>
    copyOut(transaction, `${query} limit ${MAX_FILE_ROWS}`, async (rows) => {
      const response = await storageRequest(`/object/${file.bucket}/${file.path}`, {
        method: "POST",
        headers: { "content-type": "text/csv", "x-upsert": "true" },
        body: ReadableStream.from(problemsText(text, rows)),
        signal: slice.signal,
      });
      if (response.ok) await response.body?.cancel();
      else throw writeFailure("problems.csv", await readRefusal(response), ADVICE);
    })
  );
  return { ...file, cut: text.cut };
}

/**
 * A byte order mark, so that spreadsheets read it as UTF-8, the file's own headings, ours, and the rows: as many as fit. Each
 * piece of them ends with a row.
 */
async function* problemsText(
  text: { headings: string[]; limit: number; cut: boolean },
  rows: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const all = [...text.headings, ...PROBLEM_HEADINGS];
  const first = new TextEncoder().encode(`\ufeff${all.map(quote).join(",")}\n`);
  let bytes = first.length;
  yield first;
  for await (const piece of rows) {
    bytes += piece.length;
    if (bytes > text.limit) {
      text.cut = true;
      return;
    }
    yield piece;
  }
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
