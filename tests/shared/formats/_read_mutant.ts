/**
 * Reads a damaged file as an import does, by what its bytes say it is. In: the file. Out: whether it was read or refused;
 * anything but rows or a listed error is thrown, and so is a file that takes longer than any file of its size may.
 */
import { LongshoreError } from "../../../shared/errors.ts";
import { bytesSource } from "../../../shared/formats/bytes_source.ts";
import { openFile } from "../../../shared/imports/open_file.ts";
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
  for await (const { rows, rowNumbers } of reader.batches()) {
    if (rows.length !== rowNumbers.length) throw new Error("Cannot tell rows: found rows without numbers");
  }
  return "read";
}
