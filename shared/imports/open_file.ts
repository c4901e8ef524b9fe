/**
 * Opens a file for reading by what its first bytes say, not by its name; the name only serves for a clearer refusal.
 * Goes on from a reader's cursor.
 */
import { LongshoreError } from "../errors.ts";
import { type CsvCursor, openCsv } from "../formats/csv/mod.ts";
import type { ByteSource, RowReader } from "../formats/reader.ts";
import { type LegacyCursor, legacyKind, openLegacy } from "../formats/sheetjs/mod.ts";
import { openXlsx, type XlsxCursor } from "../formats/xlsx/mod.ts";
import type { Settings } from "../jobs/job.ts";
import { countHidden, type HiddenCount } from "./count_hidden.ts";
import type { ImportOptions } from "./import_request.ts";

/**
 * Rows that are read while the database takes the ones before in. So few that what is made of them dies young: with 5,000,
 * which outlive a collection or two, reading takes up to half as long again and more memory.
 */
export const BATCH_ROWS = 500;

/** Where a file of any kind was left. */
export type FileCursor = (CsvCursor | XlsxCursor | LegacyCursor) & HiddenCount;

export interface OpenFileOptions {
  path: string;
  options: ImportOptions;
  settings: Settings;
  cursor?: FileCursor | undefined;
}

export async function openFile(
  source: ByteSource,
  { path, options, settings, cursor }: OpenFileOptions,
): Promise<RowReader<FileCursor>> {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const head = await source.read(0, Math.min(64, source.size));
  if (isWorkbook(head) || extension === "xlsx" || extension === "xlsm") {
    refuseLarger(source.size, settings.workbook_bytes, "workbook");
    const sheet = options.sheet === undefined ? {} : { sheet: options.sheet };
    const kind = await legacyKind(source);
    const reader: RowReader<LegacyCursor | XlsxCursor> = kind
      ? await openLegacy(source, { kind, ...sheet, cursor: cursor as LegacyCursor, rowsPerBatch: BATCH_ROWS })
      : await openXlsx(source, {
        ...sheet,
        ...(cursor ? { cursor: cursor as XlsxCursor } : {}),
        rowsPerBatch: BATCH_ROWS,
      });
    return countHidden(reader, cursor);
  }
  if (["xls", "xlsb", "ods"].includes(extension)) refuseOtherThanText(head, extension);
  refusePdf(head);
  refuseLarger(source.size, settings.csv_bytes, "CSV file");
  return await openCsv(source, {
    ...(options.encoding === undefined ? {} : { encoding: options.encoding }),
    ...(options.delimiter === undefined ? {} : { delimiter: options.delimiter }),
    ...(cursor ? { cursor: cursor as CsvCursor } : {}),
    rowsPerBatch: BATCH_ROWS,
  });
}

/** Many programs give the name of a workbook to a plain text with tabs, which is read; others to a web page. */
function refuseOtherThanText(head: Uint8Array, extension: string): void {
  const markup = /^\W*<[!?a-z]/i.test(new TextDecoder("latin1").decode(head));
  const isUtf16 = head[0] === 0xff || head[0] === 0xfe;
  if (!markup && (isUtf16 || head.every((byte) => byte >= 9))) return;
  throw new LongshoreError(
    "unsupported_format",
    `Cannot read the file: it is named ".${extension}" and found to be ${
      markup ? "a web page or XML" : "something else"
    }: save it as .xlsx and try again`,
  );
}

/** Much of a PDF is text: read as CSV, it would be told that it lacks headings. */
function refusePdf(head: Uint8Array): void {
  if (!new TextDecoder("latin1").decode(head).startsWith("%PDF-")) return;
  throw new LongshoreError(
    "unsupported_format",
    "Cannot read the file: found a PDF, expected a .csv or .xlsx: export the table from where the PDF was made",
  );
}

/** A zip archive, or the container of older and of encrypted workbooks. */
function isWorkbook(head: Uint8Array): boolean {
  const zip = head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5);
  const ole = head[0] === 0xd0 && head[1] === 0xcf && head[2] === 0x11 && head[3] === 0xe0;
  return zip || ole;
}

function refuseLarger(size: number, limit: number, kind: string): void {
  if (size <= limit) return;
  const mb = (bytes: number) => Math.round(bytes / 1e6);
  throw new LongshoreError(
    "file_too_large",
    `Cannot import a ${kind} of ${mb(size)} MB: expected at most ${mb(limit)} MB`,
    { details: { bytes: size, limit } },
  );
}
