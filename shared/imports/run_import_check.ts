/**
 * The life of a row up to its promise: read, staged, compared with the rest of the file, written for real and undone,
 * reported. The same for every dataset. Each step goes on where the last slice left it.
 */
import type { Slice, SliceOutcome } from "../jobs/slice.ts";
import { type CheckCursor, type CheckingCursor, type ReadingCursor, validRows } from "./check_cursor.ts";
import { checkRows, tidyUp } from "./check_rows.ts";
import type { Dataset } from "./dataset.ts";
import { makePlan } from "./make_plan.ts";
import { readFile } from "./read_file.ts";
import { reportCheck } from "./report_check.ts";
import { type ResolvedRequest, resolveRequest } from "./resolve_request.ts";
import { ImportRequest } from "./import_request.ts";
import { parseInput } from "../http/read_body.ts";
import { analyzeImport, findDuplicates, NO_STEPS, rowsTouchEachOther } from "./staging.ts";
import { withChunkRetries } from "./with_chunk_retries.ts";
import { requireImporter } from "./require_importer.ts";
import { secondSession } from "./second_session.ts";

/** Rows with problems, from which on problems.csv is large. */
const MANY_PROBLEMS = 100_000;

export interface RunImportOptions {
  /** The datasets there are. @default those of the five systems */
  datasets?: readonly Dataset[];
}

export async function runImportCheck(
  slice: Slice,
  { datasets }: RunImportOptions = {},
): Promise<SliceOutcome> {
  const request = resolveRequest(parseInput(slice.params, ImportRequest), datasets);
  await requireImporter(slice, request);

  let cursor = slice.cursor as CheckCursor | null;
  if (cursor === null || cursor.phase === "reading") {
    const read = await readFile(slice, request, cursor);
    if (!read.ended) return { outcome: "continue" };
    cursor = await compare(slice, request, read.cursor);
  }
  cursor = await checkRows(slice, request, cursor);
  if (!cursor.ended || hasMuchToReport(slice, cursor)) return { outcome: "continue" };
  const result = JSON.parse(JSON.stringify(await reportCheck(slice, request, cursor)));
  return { outcome: "done", result, afterwards: () => tidyUp(slice, request, cursor.rows) };
}

/**
 * A large problems.csv takes as much time as half a slice has: one that has done other work, or runs in an isolate that
 * has, leaves it to the next. That one does nothing else, so it does not hand it on in turn.
 */
function hasMuchToReport({ cpu, settings }: Slice, cursor: CheckingCursor): boolean {
  const problems = cursor.rows - validRows(cursor);
  const half = settings.slice_cpu_ms / 2;
  return problems > MANY_PROBLEMS &&
    (cpu.usedMs > half || cpu.usedMs > half / 5 && cpu.isolateMs > 1.3 * half);
}

/** Compares the rows with each other: which keys stand more than once, and whether rows can affect each other. */
async function compare(slice: Slice, request: ResolvedRequest, read: ReadingCursor): Promise<CheckingCursor> {
  const { dataset, mode, scope, options } = request;
  const { fileIndex, headings, info } = read.layout;
  const plan = makePlan(dataset, { mode, scope, options, fileIndex, headings, sheet: info.sheet ?? null });
  const touching = await rowsTouchEachOther(slice.sql, plan);
  const whole = touching && read.rows <= slice.settings.one_transaction_rows;
  const cursor: CheckingCursor = {
    phase: "checking",
    layout: read.layout,
    rows: read.rows,
    invalid: read.invalid,
    hiddenRows: read.reader.hiddenRows ?? 0,
    ...NO_STEPS,
    classify: read.invalid > 0,
    guarantee: touching && !whole ? "per_chunk" : "exact",
    whole,
  };
  slice.progress({ phase: "comparing", done: 0, total: read.rows });
  const beside = await secondSession(slice);
  const analyzed = withChunkRetries(slice, () => analyzeImport(beside ?? slice.sql, slice));
  // Whoever waits for it hears of a failure.
  analyzed.catch(() => {});
  await withChunkRetries(slice, () =>
    slice.sql.begin(async (transaction) => {
      await findDuplicates(transaction, slice);
      await analyzed;
      await slice.checkpoint(transaction, cursor);
    }));
  return cursor;
}
