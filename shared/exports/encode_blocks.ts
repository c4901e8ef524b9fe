/**
 * Blocks of rendered rows → the bytes of a file. CSV and NDJSON come out of the database as they are in the file; a
 * workbook is written from JSON arrays. The same blocks give the same bytes, wherever a slice has ended between them.
 */
import { createWorkbookWriter, type WorkbookState, type WorkbookValue } from "../formats/xlsx/mod.ts";
import type { ExportFormat, Report, ReportColumn, ReportColumnType } from "./report.ts";

export interface BlockEncoder {
  /** What stands before the first row; nothing where another slice has begun. */
  start(): Uint8Array;
  encode(block: Uint8Array): Uint8Array;
  finish(): Uint8Array;
  /** Where to go on from, in another isolate. */
  state(): WorkbookState | null;
  /** Texts that were too long for a cell and were cut. */
  readonly cutTexts: number;
}

export interface EncodeOptions {
  report: Report;
  format: ExportFormat;
  columns: readonly ReportColumn[];
  state?: WorkbookState | null;
  /** Whether another slice has begun the file. */
  begun: boolean;
}

const NOTHING = new Uint8Array();

export function encodeBlocks(options: EncodeOptions): BlockEncoder {
  return options.format === "xlsx" ? workbookEncoder(options) : textEncoder(options);
}

/** With a byte order mark, so that spreadsheets read a CSV as UTF-8. */
function textEncoder({ format, columns, begun }: EncodeOptions): BlockEncoder {
  const line = columns.map(({ heading }) => quote(heading)).join(",");
  return {
    start: () => begun || format !== "csv" ? NOTHING : new TextEncoder().encode(`\ufeff${line}\r\n`),
    encode: (block) => block,
    finish: () => NOTHING,
    state: () => null,
    cutTexts: 0,
  };
}

const WORKBOOK_TYPES = {
  text: "text",
  integer: "integer",
  number: "decimal",
  date: "date",
  timestamp: "timestamp",
  boolean: "boolean",
} as const satisfies Record<ReportColumnType, string>;

function workbookEncoder({ report, columns, state, begun }: EncodeOptions): BlockEncoder {
  const writer = createWorkbookWriter({
    sheet: report.title.replace(/[[\]:*?/\\']/g, " ").slice(0, 31),
    columns: columns.map(({ heading, type, width }) => ({
      heading,
      type: WORKBOOK_TYPES[type],
      ...(width === undefined ? {} : { width }),
    })),
    autoFilter: true,
    longTexts: "cut",
  }, state ?? undefined);
  let last = state ?? null;
  // After the start and after every block, so that the bytes do not depend on where slices end.
  const pause = () => {
    const paused = writer.pause();
    last = paused.state;
    return paused.bytes;
  };
  return {
    start: () => begun ? NOTHING : pause(),
    encode(block) {
      const rows: WorkbookValue[][] = JSON.parse(`[${new TextDecoder().decode(block)}]`);
      const written = writer.writeRows(rows);
      const rest = pause();
      return written.length === 0 ? rest : concat([written, rest]);
    },
    finish: () => writer.finish(),
    state: () => last,
    get cutTexts() {
      return writer.cutTexts;
    },
  };
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
