/**
 * A cell → the canonical text of its column's type, null for an empty one, or a `Refusal` that says what was found and
 * what was expected. One coercer is made per column, since it runs once for every cell of the file. What the database
 * alone can know (references, CHECKs, policies) is not asked here.
 */
import { type Cell, DateCell, ErrorCell } from "../formats/reader.ts";
import type { Column, ProblemCode } from "./dataset.ts";
import { nearestName } from "../text/nearest_name.ts";
import { shorten } from "../text/shorten.ts";
import { type DateOrder, parseDate, parseTimestamp } from "./parse_date.ts";
import { type DecimalMark, parseDecimal } from "./parse_decimal.ts";

export class Refusal {
  constructor(readonly code: ProblemCode, readonly message: string) {}
}

export type Coercer = (cell: Cell) => string | null | Refusal;

export interface CoercionOptions {
  /** Which of day, month and year comes first where a date could mean two days. */
  dateOrder?: DateOrder | undefined;
  /** The decimal mark of numbers that are written as text. */
  decimal?: DecimalMark | undefined;
  /** Whether an empty cell is refused. @default column.required */
  required?: boolean;
}

export function coercerOf(column: Column, options: CoercionOptions = {}): Coercer {
  const required = options.required ?? column.required ?? false;
  const convert = CONVERTERS[column.type];
  const values = column.values && new Map(column.values.map((value) => [fold(value), value]));
  const refuse = (code: ProblemCode, found: string, expected: string) =>
    new Refusal(
      code,
      `${column.title} ${column.sensitive ? "" : `"${shorten(found, LONGEST_SHOWN)}" `}${expected}`,
    );
  const context: Context = { refuse, ...options };

  return (cell) => {
    if (cell === null) return required ? missing(column) : null;
    if (cell instanceof ErrorCell) return formulaError(column, cell.error);
    if (typeof cell === "string") {
      const text = cell.trim();
      if (text === "") return required ? missing(column) : null;
      // Programs write a failed formula as text into a CSV.
      if (text.charCodeAt(0) === HASH && ERRORS.has(text)) return formulaError(column, text);
      if (text.includes("\0")) {
        return refuse("invalid_text", text.replaceAll("\0", "␀"), "has a NUL character: expected text");
      }
      if (!text.isWellFormed()) {
        return refuse("invalid_text", text.toWellFormed(), "has half of a character: expected text");
      }
      cell = text;
    }
    const value = convert(cell, context);
    if (typeof value !== "string") return value;
    if (values) {
      const known = values.get(value) ?? values.get(fold(value));
      return known ?? refuse("not_in_list", value, notInList(value, column.values ?? []));
    }
    // What JavaScript counts as two, such as an emoji, is one character to the database.
    if (column.maxLength !== undefined && value.length > column.maxLength) {
      const length = [...value].length;
      if (length > column.maxLength) {
        return refuse("too_long", value, `has ${length} characters: expected at most ${column.maxLength}`);
      }
    }
    if (column.min !== undefined && Number(value) < column.min) {
      return refuse("out_of_range", value, `is too small: expected at least ${column.min}`);
    }
    if (column.max !== undefined && Number(value) > column.max) {
      return refuse("out_of_range", value, `is too large: expected at most ${column.max}`);
    }
    return value;
  };
}

interface Context extends CoercionOptions {
  refuse(code: ProblemCode, found: string, expected: string): Refusal;
}

/** Characters of a value in a message. */
const LONGEST_SHOWN = 80;
const HASH = 35;
const ERRORS = new Set([
  "#REF!",
  "#N/A",
  "#VALUE!",
  "#DIV/0!",
  "#NAME?",
  "#NULL!",
  "#NUM!",
  "#SPILL!",
  "#CALC!",
]);
const YES = new Set(["true", "yes", "y", "1", "x", "t"]);
const NO = new Set(["false", "no", "n", "0", "f"]);

const CONVERTERS: Record<Column["type"], (cell: Exclude<Cell, null>, context: Context) => string | Refusal> =
  {
    text: (cell) => typeof cell === "string" ? cell : String(cell),

    number(cell, context) {
      if (typeof cell === "string") {
        const value = parseDecimal(cell, context.decimal);
        if (value === "ambiguous") {
          return context.refuse(
            "invalid_number",
            cell,
            'can be read in two ways: expected the option "decimal" to say which',
          );
        }
        return value ?? context.refuse("invalid_number", cell, "is no number: expected digits such as 12.5");
      }
      if (typeof cell !== "number") {
        return context.refuse("invalid_number", String(cell), "is no number: expected digits such as 12.5");
      }
      if (!Number.isFinite(cell)) {
        return context.refuse("out_of_range", String(cell), "is too large for a number");
      }
      return parseDecimal(String(cell), ".") ??
        context.refuse("out_of_range", String(cell), "is too large for a number");
    },

    integer(cell, context) {
      const value = CONVERTERS.number(cell, context);
      if (value instanceof Refusal || !value.includes(".")) return value;
      return context.refuse("invalid_number", String(cell), "is no whole number: expected digits such as 12");
    },

    date(cell, context) {
      if (cell instanceof DateCell) {
        if (/^\d{4}-/.test(cell.iso)) return cell.iso.slice(0, 10);
        return context.refuse("invalid_date", cell.iso, "is a time: expected a date such as 2025-12-31");
      }
      if (typeof cell !== "string") {
        return context.refuse(
          "invalid_date",
          String(cell),
          "is no date: expected a cell formatted as a date",
        );
      }
      return dateOrRefusal(cell, parseDate(cell, context.dateOrder), context);
    },

    timestamp(cell, context) {
      if (cell instanceof DateCell && /^\d{4}-/.test(cell.iso)) return cell.iso;
      if (typeof cell !== "string") {
        return context.refuse(
          "invalid_date",
          String(cell),
          "is no date: expected a cell formatted as date and time",
        );
      }
      return dateOrRefusal(cell, parseTimestamp(cell, context.dateOrder), context);
    },

    boolean(cell, context) {
      const text = String(cell).toLowerCase();
      if (YES.has(text)) return "true";
      if (NO.has(text)) return "false";
      return context.refuse("invalid_type", String(cell), "is neither yes nor no: expected true or false");
    },
  };

function dateOrRefusal(found: string, value: string | null, context: Context): string | Refusal {
  if (value === "ambiguous") {
    return context.refuse(
      "invalid_date",
      found,
      'can be two days: expected the option "date_order" to say which',
    );
  }
  return value ?? context.refuse("invalid_date", found, "is no date: expected one such as 2025-12-31");
}

function missing(column: Column): Refusal {
  return new Refusal("required", `${column.title} is required, found an empty cell`);
}

function formulaError(column: Column, error: string): Refusal {
  return new Refusal("formula_error", `${column.title} holds the error ${error}: expected a value`);
}

function notInList(value: string, values: readonly string[]): string {
  const near = nearestName(value, values);
  return near
    ? `is not in the list: the nearest is "${near}"`
    : `is not in the list: expected one of ${values.join(", ")}`;
}

/** "Field Weld" is "field_weld". */
function fold(value: string): string {
  return value.toLowerCase().replace(/[\s_-]+/g, "_");
}
