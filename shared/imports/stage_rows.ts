/**
 * A batch of rows → text for COPY: the rows in canonical form, and the problems that a row shows by itself. The
 * record as it stood in the file is kept only where it says more than the canonical form, so that clean files cost
 * nothing for it.
 *
 * Staged row: number, line, raw record (JSON array of texts) or null, one text per column of the dataset.
 * Staged problem: row number, place of the column from 1 or null, code, message, value as found, phase 1.
 */
import type { Cell, RowBatch, RowFlaw } from "../formats/reader.ts";
import { type Coercer, coercerOf, type CoercionOptions } from "./coerce_cell.ts";
import type { Dataset, ProblemCode } from "./dataset.ts";
import { storableText } from "../text/storable_text.ts";

export interface StageOptions extends CoercionOptions {
  /** By place in the dataset's columns: the place in the file, or null. */
  fileIndex: readonly (number | null)[];
  /** How many columns the headings name. */
  width: number;
  /** Names of the columns that may not be empty. */
  requiredColumns: readonly string[];
  /** Whether a record must have as many cells as there are headings: a CSV's must, a workbook leaves empty cells out. */
  fixedWidth: boolean;
}

export interface StagedBatch {
  /** Text for `COPY rows (row_number, line, raw, c1 …) FROM STDIN`. */
  rows: string;
  /** Text for `COPY problems (row_number, column_index, code, message, value, phase) FROM STDIN`. */
  problems: string;
  rowCount: number;
  invalidCount: number;
  /** Cells of the widest record. */
  width: number;
}

export type Stager = (batch: RowBatch<unknown>, after: number) => StagedBatch;

export function stagerOf(dataset: Dataset, options: StageOptions): Stager {
  const coercers: Coercer[] = dataset.columns.map((column) =>
    coercerOf(column, { ...options, required: options.requiredColumns.includes(column.name) })
  );
  const { fileIndex, width, fixedWidth } = options;
  const places = fileIndex.flatMap((index, place) =>
    index === null ? [] : [{ place, index, coerce: coercers[place]! }]
  );
  const ignored = Array.from({ length: width }, (_, index) => index).filter((index) =>
    !fileIndex.includes(index)
  );
  const names = dataset.columns.map((column) => column.name);

  return (batch, after) => {
    let rows = "";
    let problems = "";
    let rowCount = 0;
    let invalidCount = 0;
    let widest = width;
    let rowNumber = 0;
    let found = "";
    const cells: string[] = dataset.columns.map(() => "\\N");
    const add: AddProblem = (place, code, message, value) => {
      found += `${rowNumber}\t${place === null ? "\\N" : place + 1}\t${code}\t${escapeCopy(message)}\t${
        value === null ? "\\N" : escapeCopy(value.slice(0, 200))
      }\t1\n`;
    };

    for (let r = 0; r < batch.rows.length; r++) {
      rowNumber = batch.rowNumbers[r]!;
      if (rowNumber <= after) continue;
      const row = batch.rows[r]!;
      found = "";

      const flaw = batch.flaws?.get(r);
      const shape = flaw ? describeFlaw(flaw) : misshapen(row, width, fixedWidth);
      let keepRaw = shape !== null || holdsAny(row, ignored);
      if (shape) add(null, shape.code, shape.message, null);
      for (let p = 0; p < places.length; p++) {
        const { place, index, coerce } = places[p]!;
        const cell = row[index] ?? null;
        const value = shape ? null : coerce(cell);
        if (typeof value === "string") {
          cells[place] = escapeCopy(value);
          if (value !== cell && value !== String(cell)) keepRaw = true;
          continue;
        }
        // A row with a problem is not written: what cannot be its value stays as it stood, for problems.csv.
        const text = cell === null ? null : String(cell);
        cells[place] = text === null || value === null ? "\\N" : escapeCopy(text);
        if (text !== null && value === null) keepRaw = true;
        if (value !== null) add(place, value.code, value.message, text);
      }
      if (dataset.row && !found) checkRow(dataset, names, cells, add);

      const raw = keepRaw ? escapeBackslashes(rawOf(row)) : "\\N";
      rows += `${rowNumber}\t${batch.lines?.[r] ?? "\\N"}\t${raw}\t${cells.join("\t")}\n`;
      rowCount++;
      if (row.length > widest) widest = row.length;
      if (found) {
        problems += found;
        invalidCount++;
      }
    }
    return { rows, problems, rowCount, invalidCount, width: widest };
  };
}

type AddProblem = (place: number | null, code: ProblemCode, message: string, value: string | null) => void;

type Shape = { code: ProblemCode; message: string };

function describeFlaw(flaw: RowFlaw): Shape {
  switch (flaw) {
    case "invalid_text":
      return { code: "invalid_text", message: "The row has bytes that are no text in the file's encoding" };
    case "unbalanced_quotes":
      return {
        code: "malformed_row",
        message: "A quote is opened and never closed: expected a closing quote",
      };
    case "too_long":
      return { code: "malformed_row", message: "The row is too long to be one record" };
  }
}

function misshapen(row: Cell[], width: number, fixedWidth: boolean): Shape | null {
  if (row.length === width) return null;
  if (row.length < width) {
    if (!fixedWidth) return null;
    return {
      code: "malformed_row",
      message: `The row has ${row.length} cells: expected ${width}, as the headings`,
    };
  }
  for (let index = width; index < row.length; index++) {
    if (row[index] !== null) {
      return {
        code: "malformed_row",
        message: `The row has ${row.length} cells: expected ${width}, as the headings`,
      };
    }
  }
  return null;
}

function holdsAny(row: Cell[], places: readonly number[]): boolean {
  for (let p = 0; p < places.length; p++) {
    if ((row[places[p]!] ?? null) !== null) return true;
  }
  return false;
}

/** Rules within a row, over what COPY is about to get. */
function checkRow(
  dataset: Dataset,
  names: string[],
  cells: string[],
  add: AddProblem,
): void {
  const values = Object.fromEntries(
    names.map((name, place) => [name, cells[place] === "\\N" ? null : unescapeCopy(cells[place]!)]),
  );
  const checked = dataset.row!.safeParse(values);
  for (const issue of checked.error?.issues ?? []) {
    const place = names.indexOf(String(issue.path[0] ?? ""));
    add(
      place < 0 ? null : place,
      "invalid_format",
      issue.message,
      place < 0 ? null : values[names[place]!] ?? null,
    );
  }
}

/** The record as JSON; an empty cell is null. */
function rawOf(row: Cell[]): string {
  const json = JSON.stringify(
    row.every(isPlain) ? row : row.map((cell) => cell === null ? null : String(cell)),
  );
  return NOT_IN_JSONB.test(json) ? JSON.stringify(row.map(storable)) : json;
}

function isPlain(cell: Cell): boolean {
  return typeof cell === "string" || cell === null;
}

/** NUL, and half of a surrogate pair, as JSON escapes them. */
const NOT_IN_JSONB = /\\u(?:0000|d[89a-f])/;

function storable(cell: Cell): string | null {
  return cell === null ? null : storableText(String(cell));
}

/** JSON as COPY reads it: it has no other special characters. */
function escapeBackslashes(json: string): string {
  return json.includes("\\") ? json.replaceAll("\\", "\\\\") : json;
}

const SPECIAL = /[\\\t\n\r\0]/;
const ESCAPES: Record<string, string> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\0": "\ufffd",
};

/** Text as COPY reads it; NUL, which Postgres has no place for, becomes U+FFFD. */
function escapeCopy(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\t\n\r\0]/g, (char) => ESCAPES[char]!) : text;
}

function unescapeCopy(text: string): string {
  return text.replace(/\\([\\tnr])/g, (_, char) => ({ "\\": "\\", t: "\t", n: "\n", r: "\r" })[char as "t"]);
}
