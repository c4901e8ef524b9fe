/**
 * A .xls, .xlsb or .ods workbook as batches of rows of one sheet. SheetJS reads it whole, which takes many times its size in
 * memory and is done anew for each slice, hence the limits. Blank rows and what is hidden are left out. Formulas give the
 * results that were saved with them.
 */
import type { CellObject, ColInfo, RowInfo, WorkBook } from "xlsx";
import { LongshoreError } from "../../errors.ts";
import { storableText } from "../../text/storable_text.ts";
import {
  type ByteSource,
  type Cell,
  DateCell,
  ErrorCell,
  MAX_BATCH_LENGTH,
  MAX_RECORD_LENGTH,
  type RowBatch,
  type RowReader,
} from "../reader.ts";
import { chooseSheet } from "../xlsx/choose_sheet.ts";
import { dateFormatKind } from "../xlsx/date_format_kind.ts";
import { dateOfSerial } from "../xlsx/date_of_serial.ts";
import type { LegacyKind } from "./legacy_kind.ts";
import { refuseDamagedStream } from "./refuse_damaged_stream.ts";
import { refuseUnsafeZip } from "./refuse_unsafe_zip.ts";

/** Where a sheet was left: plain JSON. */
export interface LegacyCursor {
  sheet: string;
  /** The last row given. */
  row: number;
}

export interface OpenLegacyOptions {
  kind: LegacyKind;
  /** Name of the sheet; capitals do not matter. @default the first one that is not hidden */
  sheet?: string | undefined;
  /** The cursor of the batch after which to go on; names the sheet too. @default the start of the sheet */
  cursor?: LegacyCursor | undefined;
  /** Rows in a batch, at most. @default 5000 */
  rowsPerBatch?: number | undefined;
  /** Whether hidden rows and columns are read too. @default false */
  withHidden?: boolean | undefined;
}

/** Bytes of the file. Measured: at these sizes SheetJS takes up to 0.7 s of CPU and 180 MB; an .xls of 3.8 MB, 247 MB. */
const MAX_BYTES: Record<LegacyKind, number> = { xls: 2_500_000, xlsb: 6_000_000, ods: 4_000_000 };

const MAX_ROWS = 1_048_576;
const MAX_COLUMNS = 16_384;

export async function openLegacy(
  source: ByteSource,
  { kind, sheet, cursor, rowsPerBatch = 5000, withHidden = false }: OpenLegacyOptions,
): Promise<RowReader<LegacyCursor>> {
  refuseLarger(source.size, kind);
  if (kind !== "xls") await refuseUnsafeZip(source, kind);
  const workbook = await readWhole(source, kind);
  const sheets = workbook.SheetNames.map((key, index) => ({
    key,
    name: storableText(key),
    hidden: (workbook.Workbook?.Sheets?.[index]?.Hidden ?? 0) !== 0,
  }));
  const { key, name } = chooseSheet(sheets, cursor?.sheet ?? sheet);
  const rows = rowsOf(workbook, { sheet: key, after: cursor?.row ?? 0, withHidden });
  return {
    info: { format: kind, sheet: name, sheets: sheets.map((each) => each.name) },
    async *batches() {
      let batch = emptyBatch();
      let row = 0;
      let length = 0;
      for (const read of rows) {
        ({ row } = read);
        if (read.hidden) batch.hiddenCount++;
        else {
          if (read.length > MAX_RECORD_LENGTH) {
            (batch.flaws ??= new Map()).set(batch.rows.length, "too_long");
          }
          batch.rows.push(read.cells);
          batch.rowNumbers.push(row);
          length += Math.min(read.length, MAX_RECORD_LENGTH);
        }
        if (batch.rows.length < rowsPerBatch && length < MAX_BATCH_LENGTH) continue;
        yield { ...batch, cursor: { sheet: name, row }, bytesRead: source.size };
        batch = emptyBatch();
        length = 0;
      }
      if (batch.rows.length + batch.hiddenCount > 0) {
        yield { ...batch, cursor: { sheet: name, row }, bytesRead: source.size };
      }
    },
  };
}

type GrowingBatch = Omit<RowBatch<LegacyCursor>, "cursor" | "bytesRead"> & { hiddenCount: number };

function emptyBatch(): GrowingBatch {
  return { rows: [], rowNumbers: [], lines: null, flaws: null, hiddenCount: 0 };
}

function refuseLarger(size: number, kind: LegacyKind): void {
  if (size <= MAX_BYTES[kind]) return;
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  throw new LongshoreError(
    "file_too_large",
    `Cannot read a .${kind} workbook of ${mb(size)} MB: expected at most ${mb(MAX_BYTES[kind])} MB: ` +
      "save it as .xlsx and try again",
    { details: { bytes: size, limit: MAX_BYTES[kind] } },
  );
}

async function readWhole(source: ByteSource, kind: LegacyKind): Promise<WorkBook> {
  const bytes = await source.read(0, source.size);
  // Large, and needed for few files.
  const { CFB, read } = await import("xlsx");
  try {
    if (kind === "xls") {
      const container = CFB.read(bytes, { type: "array" });
      const stream = CFB.find(container, "Workbook") ?? CFB.find(container, "Book");
      refuseDamagedStream(Uint8Array.from(stream?.content ?? []));
    }
    return read(bytes, {
      type: "array",
      dense: true,
      cellNF: true,
      cellStyles: true,
      cellText: false,
      cellHTML: false,
      cellFormula: false,
    });
  } catch (cause) {
    if (cause instanceof LongshoreError) throw cause;
    if (cause instanceof Error && /password|encrypt/i.test(cause.message)) {
      throw new LongshoreError(
        "encrypted_file",
        "Cannot open the workbook: it is protected by a password, expected none: save it without and try again",
        { cause },
      );
    }
    throw new LongshoreError(
      "unreadable_file",
      `Cannot open the .${kind} workbook: it is damaged or of an unknown make: save it as .xlsx and try again`,
      { cause },
    );
  }
}

interface ReadRow {
  row: number;
  cells: Cell[];
  /** Characters of its texts; beyond the longest record there are none in `cells`. */
  length: number;
  hidden: boolean;
}

function* rowsOf(
  workbook: WorkBook,
  { sheet, after, withHidden }: { sheet: string; after: number; withHidden: boolean },
): Generator<ReadRow> {
  const content = workbook.Sheets[sheet] ?? {};
  const is1904 = workbook.Workbook?.WBProps?.date1904 === true;
  const rowInfos: (RowInfo | undefined)[] = content["!rows"] ?? [];
  const columnInfos: (ColInfo | undefined)[] = content["!cols"] ?? [];
  const shows = (info: RowInfo | ColInfo | undefined) => withHidden || !info?.hidden;
  const kinds = new Map<string, ReturnType<typeof dateFormatKind>>();
  const dense = content["!data"] ?? [];
  // By the rows and cells there are: a damaged file can name places beyond all limits.
  for (const key of Object.keys(dense)) {
    const index = Number(key);
    if (index < after || index >= MAX_ROWS) continue;
    const cells: Cell[] = [];
    let isBlank = true;
    let length = 0;
    for (const [key, cell] of Object.entries(dense[index] ?? [])) {
      const column = Number(key);
      const value = column < MAX_COLUMNS && shows(columnInfos[column])
        ? valueOf(cell, { kinds, is1904 })
        : null;
      if (value === null) continue;
      if (value !== "") isBlank = false;
      if (typeof value === "string") length += value.length;
      if (length > MAX_RECORD_LENGTH) continue;
      while (cells.length < column) cells.push(null);
      cells.push(value);
    }
    if (!isBlank) yield { row: index + 1, cells, length, hidden: !shows(rowInfos[index]) };
  }
}

interface ValueOptions {
  /** What each number format shows; filled as formats are met. */
  kinds: Map<string, ReturnType<typeof dateFormatKind>>;
  is1904: boolean;
}

function valueOf(cell: CellObject | undefined, { kinds, is1904 }: ValueOptions): Cell {
  const value = cell?.v;
  if (!cell || value === undefined || value === null || cell.t === "z") return null;
  if (cell.t === "e") return new ErrorCell(ERRORS.get(Number(value)) ?? "#VALUE!");
  if (cell.t === "b") return Boolean(value);
  if (typeof value !== "number") return value instanceof Date ? new DateCell(value.toISOString()) : value;
  if (!Number.isFinite(value)) return String(value);
  const format = String(cell.z ?? "");
  let kind = kinds.get(format);
  if (kind === undefined) kinds.set(format, kind = dateFormatKind(format));
  const iso = kind === "number" ? null : dateOfSerial(value, { kind, is1904 });
  return iso === null ? value : new DateCell(iso);
}

/** As SheetJS numbers them. */
const ERRORS = new Map([
  [0x00, "#NULL!"],
  [0x07, "#DIV/0!"],
  [0x0f, "#VALUE!"],
  [0x17, "#REF!"],
  [0x1d, "#NAME?"],
  [0x24, "#NUM!"],
  [0x2a, "#N/A"],
  [0x2b, "#GETTING_DATA"],
]);
