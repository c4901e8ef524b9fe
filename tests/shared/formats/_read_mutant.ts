/**
 * Reads a damaged file as an import does, by what its bytes say it is, up to the text that the database would get. In: the
 * file. Out: whether it was read or refused; anything but rows or a listed error is thrown, and so is text that the
 * database would not take, and a file that takes longer than any file of its size may.
 */
import { assertEquals } from "@std/assert";
import { LongshoreError } from "../../../shared/errors.ts";
import { bytesSource } from "../../../shared/formats/bytes_source.ts";
import { findHeadings } from "../../../shared/imports/find_headings.ts";
import { matchColumns } from "../../../shared/imports/match_columns.ts";
import { openFile } from "../../../shared/imports/open_file.ts";
import { stagerOf } from "../../../shared/imports/stage_rows.ts";
import { dataset } from "../imports/_dataset.ts";
import type { Settings } from "../../../shared/jobs/job.ts";
import type { Mutant } from "./_mutants.ts";

/** Far more than the slowest takes on a busy machine; an endless loop takes longer. */
const PATIENCE_MS = 5000;
const CODES = new Set([
  "empty_file",
  "encrypted_file",
  "file_too_large",
  "unreadable_file",
  "unsafe_file",
  "unsupported_format",
]);

export async function readMutant({ name, bytes }: Mutant): Promise<"read" | "refused"> {
  const from = performance.now();
  const outcome = await read({ name, bytes }).catch((error) => {
    if (error instanceof LongshoreError && CODES.has(error.code)) return "refused" as const;
    throw error;
  });
  const ms = performance.now() - from;
  if (ms > PATIENCE_MS) throw new Error(`Cannot read ${bytes.length} bytes in time: found ${ms} ms`);
  return outcome;
}

async function read({ name, bytes }: Mutant): Promise<"read"> {
  const settings = { csv_bytes: 1e9, workbook_bytes: 1e9 } as Settings;
  const reader = await openFile(bytesSource(bytes), { path: `mutant.${name}`, options: {}, settings });
  const stage = stagerOf(dataset, {
    fileIndex: [0, 1, 2, 3],
    width: 4,
    requiredColumns: ["tag"],
    fixedWidth: name === "csv",
  });
  let isFirst = true;
  for await (const batch of reader.batches()) {
    const { rows, rowNumbers, cursor } = batch;
    if (rows.length !== rowNumbers.length) throw new Error("Cannot tell rows: found rows without numbers");
    refuseUnstorable(JSON.stringify([cursor, reader.info]));
    assertEquals(JSON.parse(JSON.stringify(cursor)), cursor);
    if (isFirst && rows.length > 0) {
      isFirst = false;
      matchAny(batch);
    }
    const staged = stage(batch, 0);
    // As bytes, halves of characters are U+FFFD.
    refuseUnstorable(staged.rows.toWellFormed());
    refuseUnstorable(staged.problems.toWellFormed());
  }
  return "read";
}

/** What is found of the headings goes into the job, whether they match or not. */
function matchAny(batch: Parameters<typeof findHeadings>[1]): void {
  const { headings } = findHeadings(dataset, batch);
  refuseUnstorable(JSON.stringify(headings));
  try {
    matchColumns(dataset, headings, { columns: undefined, required: [] });
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error;
    refuseUnstorable(JSON.stringify([error.message, error.details]));
  }
}

/** Neither text nor jsonb takes NUL or half of a character, as they are or as JSON escapes them. */
function refuseUnstorable(text: string): void {
  if (text.isWellFormed() && !/\0|(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)) return;
  throw new Error("Cannot keep what was read: found NUL or half of a character");
}
