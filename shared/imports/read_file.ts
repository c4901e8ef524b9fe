/**
 * File → staged rows. Reads batches, finds the headings in the first, and commits each batch together with the cursor
 * behind it. While the database takes one batch in, the next is read. Ends with the file or with the budget.
 */
import { LongshoreError } from "../errors.ts";
import type { FileInfo, RowBatch } from "../formats/reader.ts";
import type { Slice } from "../jobs/slice.ts";
import type { ReadingCursor } from "./check_cursor.ts";
import { findHeadings } from "./find_headings.ts";
import { makePlan } from "./make_plan.ts";
import { matchColumns } from "./match_columns.ts";
import { openFile } from "./open_file.ts";
import { refuseTooMany } from "./refuse_too_many.ts";
import type { ResolvedRequest } from "./resolve_request.ts";
import { type StagedBatch, type Stager, stagerOf } from "./stage_rows.ts";
import { copyProblems, copyRows, prepareImport } from "./staging.ts";
import { type StorageSource, storageSource } from "./storage_source.ts";

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

  let cursor = start;
  let stage: Stager | null = start && stagerFor(request, start);
  let written: Promise<unknown> = Promise.resolve();
  try {
    for (;;) {
      const { done, value: batch } = await metered(slice, source, () => batches.next());
      if (done) break;
      if (!cursor) {
        if (batch.rows.length === 0) continue;
        cursor = await layOut(slice, request, { batch, info: reader.info });
      }
      stage ??= stagerFor(request, cursor);
      const staged = slice.cpu.run(() => stage!(batch, cursor!.layout.headingRow));
      cursor = advance(cursor, batch, staged);
      slice.progress({ phase: "reading", done: batch.bytesRead, total: source.size, unit: "bytes" });
      await written;
      written = write(slice, request, { cursor, staged });
      // Should reading fail first, the failure of this write is not to be an unhandled one.
      written.catch(() => {});
      if (slice.shouldStop()) {
        await written;
        return { cursor, ended: false };
      }
      await refuseTooMany(slice, options.stop_after_problems, cursor.invalid);
    }
    await written;
  } finally {
    await Promise.allSettled([written, batches.return()]);
  }
  if (!cursor) {
    throw new LongshoreError("empty_file", "Cannot import an empty file: expected headings and rows");
  }
  return { cursor, ended: true };
}

/** Counts as own work what an operation on the source takes beside waiting for bytes. */
async function metered<T>(slice: Slice, source: StorageSource, operation: () => Promise<T>): Promise<T> {
  const from = performance.now() - source.waitedMs;
  try {
    return await operation();
  } finally {
    slice.cpu.add(performance.now() - source.waitedMs - from);
  }
}

/** Settles how the file's columns lie, and makes the statements that its rows will be written with. */
async function layOut(
  slice: Slice,
  { dataset, mode, scope, options }: ResolvedRequest,
  { batch, info }: { batch: RowBatch<ReadingCursor["reader"]>; info: FileInfo },
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
  batch: RowBatch<ReadingCursor["reader"]>,
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

/** One transaction: the rows, their problems, and the cursor behind them. */
async function write(
  slice: Slice,
  { dataset }: ResolvedRequest,
  { cursor, staged }: { cursor: ReadingCursor; staged: StagedBatch },
): Promise<void> {
  const target = { slot: cursor.layout.slot, columnCount: dataset.columns.length };
  await slice.sql.begin(async (transaction) => {
    if (staged.rows) await copyRows(transaction, target, staged.rows);
    if (staged.problems) await copyProblems(transaction, target, staged.problems);
    await slice.checkpoint(transaction, asJson(cursor));
  });
}

function asJson(cursor: ReadingCursor) {
  return JSON.parse(JSON.stringify(cursor));
}
