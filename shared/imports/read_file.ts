/**
 * File → staged rows. Reads batches, finds the headings in the first, and commits some of them together with the cursor
 * behind them. While the database takes one batch in, the next is read. Ends with the file or with the budget.
 */
import { LongshoreError } from "../errors.ts";
import type { FileInfo, RowBatch } from "../formats/reader.ts";
import type { Slice } from "../jobs/slice.ts";
import type { ReadingCursor } from "./check_cursor.ts";
import { findHeadings } from "./find_headings.ts";
import { makePlan } from "./make_plan.ts";
import { matchColumns } from "./match_columns.ts";
import { BATCH_ROWS, openFile } from "./open_file.ts";
import { refuseTooMany } from "./refuse_too_many.ts";
import type { ResolvedRequest } from "./resolve_request.ts";
import { type StagedBatch, type Stager, stagerOf } from "./stage_rows.ts";
import { copyProblems, openRowCopy, prepareImport } from "./staging.ts";
import { type StorageSource, storageSource } from "./storage_source.ts";

/** Rows between two checkpoints: at each, reading waits for the database, and so many rows are read again after a death. */
const ROWS_PER_TRANSACTION = 250_000;
/** Characters of problems that wait for the end of the COPY of rows. */
const PROBLEM_CHARACTERS = 8_000_000;

/** Rows that the headings have to come in. */
const HEADING_ROWS = 20_000;
/** And batches cut short by blank stretches or long rows: 16 MB of blank lines, or 32 MiB of a sheet's XML. */
const HEADING_BATCHES = 4;

type Batch = RowBatch<ReadingCursor["reader"]>;

export interface ReadOutcome {
  cursor: ReadingCursor;
  /** Whether the file is read to its end. */
  ended: boolean;
}

export async function readFile(
  slice: Slice,
  request: ResolvedRequest,
  start: ReadingCursor | null,
): Promise<ReadOutcome> {
  const { file, settings } = slice;
  if (!file) throw new LongshoreError("file_not_found", "Cannot import: the job has no file");
  const { options } = request;
  const source = storageSource(file, { signal: slice.signal });
  const reader = await metered(
    slice,
    source,
    () => openFile(source, { path: file.path, options, settings, cursor: start?.reader }),
  );
  const batches = reader.batches();
  const read = () => metered(slice, source, () => batches.next());

  let cursor = start;
  try {
    let next = await read();
    // A long stretch of blank rows makes batches without any.
    for (let short = 0; !cursor && !next.done && !reaches(next.value, options.header_row);) {
      const { rows, rowNumbers } = next.value;
      if (rows.length < BATCH_ROWS) short++;
      if (short === HEADING_BATCHES || (rowNumbers.at(-1) ?? 0) >= HEADING_ROWS) {
        throw noHeadings(next.value, options.header_row);
      }
      next = await read();
    }
    if (!cursor && !next.done) {
      cursor = await layOut(slice, request, { batch: next.value, info: reader.info });
    }
    if (!cursor && options.header_row !== undefined) throw noHeadings(null, options.header_row);
    if (!cursor) {
      throw new LongshoreError("empty_file", "Cannot import an empty file: expected headings and rows");
    }

    const stage = stagerFor(request, cursor);
    const target = { slot: cursor.layout.slot, columnCount: request.dataset.columns.length };
    // At least one transaction, however much of the budget was spent on opening the file.
    for (let steps = 0; !next.done && (steps === 0 || !slice.shouldStop()); steps++) {
      let reached: ReadingCursor = cursor;
      await slice.sql.begin(async (transaction) => {
        const copy = await openRowCopy(transaction, target, slice.cpu);
        // Many short texts: to join them, only to send them, would cost as much again.
        const problems: string[] = [];
        let problemCharacters = 0;
        try {
          const enough = reached.rows + ROWS_PER_TRANSACTION;
          do {
            const batch: Batch = next.value!;
            const staged = slice.cpu.run(() => stage(batch, reached.layout.headingRow));
            await copy.write(staged.rows);
            if (staged.problems) problems.push(staged.problems);
            problemCharacters += staged.problems.length;
            reached = advance(reached, batch, staged);
            slice.progress({
              phase: "reading",
              done: batch.bytesRead,
              total: source.size,
              unit: "bytes",
              rows: reached.rows,
            });
            next = await read();
          } while (
            !next.done && reached.rows < enough && problemCharacters < PROBLEM_CHARACTERS &&
            !slice.shouldStop()
          );
          await copy.end();
        } catch (error) {
          copy.abort();
          throw error;
        }
        if (problems.length > 0) await copyProblems(transaction, target, problems, slice.cpu);
        await slice.checkpoint(transaction, reached);
      });
      cursor = reached;
      await refuseTooMany(slice, options.stop_after_problems, cursor.invalid);
    }
    return { cursor, ended: next.done === true };
  } finally {
    await batches.return();
  }
}

/** Whether the headings can be in the batch: in the row that was named, or in the first that has content. */
function reaches({ rowNumbers }: Batch, headerRow: number | undefined): boolean {
  const last = rowNumbers.at(-1);
  return last !== undefined && last >= (headerRow ?? 0);
}

/** `batch` is where the search was given up; null is the end of the file. */
function noHeadings(batch: Batch | null, headerRow: number | undefined): LongshoreError {
  if (headerRow === undefined) {
    return new LongshoreError(
      "empty_file",
      `Cannot import the file: found nothing but blank rows in its first ${batch?.bytesRead} bytes, expected ` +
        "headings near the top: delete those rows and try again",
    );
  }
  return new LongshoreError(
    "missing_columns",
    `Cannot find headings in row ${headerRow}: ${
      batch
        ? "found it too far down, expected headings near the top"
        : "found no row of that number or behind it"
    }`,
    { details: { header_row: headerRow } },
  );
}

/** Counts as own work what an operation on the source takes beside waiting for bytes, and the bytes. */
async function metered<T>(slice: Slice, source: StorageSource, operation: () => Promise<T>): Promise<T> {
  const from = performance.now() - source.waitedMs;
  const before = source.receivedBytes;
  try {
    return await operation();
  } finally {
    slice.cpu.add(performance.now() - source.waitedMs - from);
    slice.cpu.moved(source.receivedBytes - before);
  }
}

/** Settles how the file's columns lie, and makes the statements that its rows will be written with. */
async function layOut(
  slice: Slice,
  { dataset, mode, scope, options }: ResolvedRequest,
  { batch, info }: { batch: Batch; info: FileInfo },
): Promise<ReadingCursor> {
  const { rowNumber, headings } = findHeadings(dataset, batch, {
    headerRow: options.header_row,
    given: Object.keys(options.columns ?? {}),
  });
  const match = matchColumns(dataset, headings, {
    columns: options.columns,
    required: requiredColumns({ dataset, mode }),
  });
  const sheet = info.sheet ?? null;
  const plan = makePlan(dataset, { mode, scope, options, fileIndex: match.fileIndex, headings, sheet });
  const slot = await prepareImport(slice.sql, slice, plan);
  return {
    phase: "reading",
    layout: { slot, info, headingRow: rowNumber, headings, ...match, width: headings.length },
    reader: batch.cursor,
    rows: 0,
    invalid: 0,
  };
}

/** A new row needs what the dataset requires; an update only has to say which row is meant. */
function requiredColumns({ dataset, mode }: Pick<ResolvedRequest, "dataset" | "mode">): string[] {
  return dataset.columns
    .filter((column) =>
      mode === "update" ? dataset.key.includes(column.target ?? column.name) : column.required
    )
    .map((column) => column.name);
}

function stagerFor({ dataset, mode, options }: ResolvedRequest, { layout }: ReadingCursor): Stager {
  return stagerOf(dataset, {
    fileIndex: layout.fileIndex,
    width: layout.headings.length,
    requiredColumns: requiredColumns({ dataset, mode }),
    fixedWidth: layout.info.format === "csv",
    dateOrder: options.date_order,
    decimal: options.decimal,
  });
}

function advance(
  cursor: ReadingCursor,
  batch: Batch,
  staged: StagedBatch,
): ReadingCursor {
  const { layout } = cursor;
  return {
    phase: "reading",
    layout: { ...layout, width: Math.max(layout.width, staged.width) },
    reader: batch.cursor,
    rows: cursor.rows + staged.rowCount,
    invalid: cursor.invalid + staged.invalidCount,
  };
}
