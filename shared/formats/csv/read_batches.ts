/**
 * Streams a CSV file from a cursor as batches of rows. It moves bytes through a window, cuts the window at a
 * line end, decodes that text, has it parsed, and goes on behind the last record that was whole. A window in
 * which no record ends grows until the parser can tell what is wrong; how far that may go is the parser's
 * `maxRecordLength`.
 */
import { type ByteSource, MAX_BATCH_LENGTH, type RowBatch } from "../reader.ts";
import { ByteWindow } from "./byte_window.ts";
import type { CsvCursor } from "./open_csv.ts";
import { type Records, RecordScanner } from "./record_scanner.ts";
import { TextEncoding } from "./text_encoding.ts";

export interface ReadBatchesOptions {
  start: CsvCursor;
  /** Rows of a batch, at most. */
  rowsPerBatch: number;
  /** Characters of the longest record. */
  maxRecordLength: number;
  /** Bytes decoded at a time. */
  blockBytes: number;
}

export async function* readBatches(
  source: ByteSource,
  options: ReadBatchesOptions,
): AsyncGenerator<RowBatch<CsvCursor>, void, void> {
  const { start, rowsPerBatch, maxRecordLength, blockBytes } = options;
  const encoding = new TextEncoding(start.encoding);
  const scanner = new RecordScanner({
    delimiter: start.delimiter,
    maxRecordLength,
    row: start.row,
    line: start.line,
  });
  const window = await ByteWindow.open(source, start.offset);
  try {
    let records = noRecords();
    let limits = { rows: rowsPerBatch, length: MAX_BATCH_LENGTH };
    let wanted = blockBytes;
    while (true) {
      await window.fill(wanted);
      const text = takeText(window, { encoding, midLine: wanted > blockBytes });
      const place = { textLine: scanner.line, encoding, window, text: text.text, textBytes: text.bytes };
      scanner.feed(text.text, { final: window.final });
      let stop = scanner.scan(records, limits);
      while (stop === "limit") {
        yield batchOf(records, { ...start, offset: window.offset + bytesBefore(scanner, place) }, scanner);
        records = noRecords();
        limits = { rows: rowsPerBatch, length: scanner.length + MAX_BATCH_LENGTH };
        stop = scanner.scan(records, limits);
      }

      if (stop === "overlong") {
        await skipLine(window, { encoding, from: text.bytes, blockBytes });
        wanted = blockBytes;
      } else if (window.final) {
        break;
      } else if (scanner.position === 0) {
        wanted = 2 * window.bytes.length;
      } else {
        window.drop(bytesBefore(scanner, place));
        wanted = blockBytes;
      }
    }
    if (records.rows.length > 0) yield batchOf(records, { ...start, offset: source.size }, scanner);
  } finally {
    await window.close();
  }
}

function noRecords(): Records {
  return { rows: [], rowNumbers: [], lines: [], flaws: null };
}

function batchOf(records: Records, at: CsvCursor, scanner: RecordScanner): RowBatch<CsvCursor> {
  const cursor = { ...at, row: scanner.row, line: scanner.line };
  return { ...records, cursor, bytesRead: cursor.offset };
}

/**
 * The window's whole lines as text; with `midLine`, where that was not enough, all that is there, but never
 * up to between a CR and an LF.
 */
function takeText(window: ByteWindow, options: { encoding: TextEncoding; midLine: boolean }) {
  const { encoding } = options;
  const all = window.bytes;
  let bytes = all.length;
  if (!window.final) {
    bytes = options.midLine ? encoding.wholeUnits(all) : encoding.lastLineEnd(all);
  }
  return { bytes, text: encoding.decode(all.subarray(0, bytes)) };
}

interface TextPlace {
  window: ByteWindow;
  encoding: TextEncoding;
  text: string;
  /** Bytes of the window that the text was decoded from. */
  textBytes: number;
  /** The line that the text starts on. */
  textLine: number;
}

/** How many of the window's bytes come before the scanner's position. */
function bytesBefore(scanner: RecordScanner, place: TextPlace): number {
  const { encoding, window, text, textBytes } = place;
  // No unit of text has less bytes than this: if the sums agree, each has as many.
  if (text.length * encoding.unit === textBytes) return scanner.position * encoding.unit;
  if (scanner.position === text.length) return textBytes;
  return encoding.afterLines(window.bytes, {
    from: 0,
    count: scanner.line - place.textLine,
    final: window.final,
  });
}

/** Drops the window and the file up to the end of the line that reaches beyond `from`. */
async function skipLine(
  window: ByteWindow,
  options: { encoding: TextEncoding; from: number; blockBytes: number },
): Promise<void> {
  const { encoding } = options;
  window.drop(options.from);
  while (true) {
    const end = encoding.afterLines(window.bytes, { from: 0, count: 1, final: window.final });
    if (end >= 0) return window.drop(end);
    if (window.final) return window.drop(window.bytes.length);
    window.drop(encoding.wholeUnits(window.bytes));
    await window.fill(Math.max(options.blockBytes, 4));
  }
}
