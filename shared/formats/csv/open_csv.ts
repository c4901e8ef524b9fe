/**
 * Opens a CSV file: its encoding and its delimiter are given, or detected in its first bytes. The reader then
 * streams the file once from its start or from a cursor, decodes a block at a time, and gives batches of rows
 * in constant memory.
 *
 * Wrong quotes and broken characters are flaws of a row, never exceptions. What cannot be read at all is
 * `unreadable_file`; options that make no sense are `invalid_request`.
 */
import { LongshoreError } from "../../errors.ts";
import { type ByteSource, MAX_RECORD_LENGTH, type RowBatch, type RowReader } from "../reader.ts";
import { detectDelimiter } from "./detect_delimiter.ts";
import { detectEncoding } from "./detect_encoding.ts";
import { readBatches } from "./read_batches.ts";
import { TextEncoding } from "./text_encoding.ts";

/** Where to go on in a file; plain JSON without any value of a cell. */
export interface CsvCursor {
  /** Byte offset of the next record. */
  offset: number;
  /** Records before it, blank ones included. */
  row: number;
  /** Its physical line, from 1. */
  line: number;
  encoding: string;
  delimiter: string;
}

export interface OpenCsvOptions {
  /** A name by the WHATWG Encoding Standard. @default detected: UTF-8, UTF-16 or Windows-1252 */
  encoding?: string | undefined;
  /** One character. @default detected: comma, semicolon, tab or pipe */
  delimiter?: string | undefined;
  /** Where to go on; its encoding and delimiter hold. @default the start of the file */
  cursor?: CsvCursor | undefined;
  /** Rows of a batch, at most; one with long rows has fewer. @default 5000 */
  rowsPerBatch?: number | undefined;
  /**
   * Characters of the longest record that is read; a quote must close within them.
   * @default 1048576
   */
  maxRecordLength?: number | undefined;
  /** Bytes decoded at a time: the text of larger blocks is collected late, and reading slower. @default 65536 */
  blockBytes?: number | undefined;
}

/** Bytes at the start of a file that its encoding and delimiter are detected in. */
const SAMPLE_BYTES = 256 * 1024;

/** A reader of the file, from its start or from `options.cursor`. */
export async function openCsv(
  source: ByteSource,
  options: OpenCsvOptions = {},
): Promise<RowReader<CsvCursor>> {
  const start = options.cursor ?? await detect(source, options);
  const limits = {
    rowsPerBatch: atLeastOne("rowsPerBatch", options.rowsPerBatch ?? 5000),
    maxRecordLength: atLeastOne("maxRecordLength", options.maxRecordLength ?? MAX_RECORD_LENGTH),
    blockBytes: atLeastOne("blockBytes", options.blockBytes ?? 64 * 1024),
  };
  return {
    info: { format: "csv", encoding: start.encoding, delimiter: start.delimiter },
    batches(): AsyncGenerator<RowBatch<CsvCursor>, void, void> {
      return readBatches(source, { start, ...limits });
    },
  };
}

/** The cursor of a file's first record. */
async function detect(source: ByteSource, options: OpenCsvOptions): Promise<CsvCursor> {
  const sample = await source.read(0, Math.min(source.size, SAMPLE_BYTES));
  const whole = sample.length === source.size;
  const encoding = new TextEncoding(options.encoding ?? detectEncoding(sample, { whole }));
  const offset = encoding.bomLength(sample);
  const end = whole ? sample.length : encoding.lastLineEnd(sample) || sample.length;
  const text = encoding.decode(sample.subarray(offset, end));
  const start = { offset, row: 0, line: 1, encoding: encoding.name };

  // Excel's way to name the delimiter: a first line that a spreadsheet shows as no row, yet numbers as one.
  const named = /^sep=([^\r\n"])(?:[\r\n]|$)/i.exec(text)?.[1];
  if (named !== undefined) {
    const next = encoding.afterLines(sample, { from: offset, count: 1, final: whole });
    Object.assign(start, { offset: next < 0 ? source.size : next, row: 1, line: 2 });
  }
  return { ...start, delimiter: checkDelimiter(options.delimiter) ?? named ?? detectDelimiter(text) };
}

function checkDelimiter(delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || /^[^\r\n"]$/.test(delimiter)) return delimiter;
  throw new LongshoreError(
    "invalid_request",
    `Cannot use ${
      JSON.stringify(delimiter)
    } as delimiter: expected one character other than a quote or a line end`,
  );
}

function atLeastOne(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`Cannot use ${value} as "${name}": expected a whole number of at least 1`);
}
