/**
 * What a dataset declares: where its rows go, which columns they have, and what a file may call them. A dataset is
 * data: no loops, no awaits. Rules within a row may be added as a Zod schema; rules between rows and tables are
 * constraints of the database.
 */
import type { z } from "zod";

export type ColumnType = "text" | "integer" | "number" | "date" | "timestamp" | "boolean";

export type Mode = "insert" | "upsert" | "update";

/** A column that names a row of another table, such as a drawing's number for its id. */
export interface Lookup {
  /** Schema and table, such as `pipetrak.drawings`. */
  table: string;
  /** The column of that table that the file's text is compared with; unique within `within`. */
  match: string;
  /** The column of that table that is written. */
  value: string;
  /** Column of that table → target column of the scope, such as `{ project_id: "project_id" }`. */
  within: Record<string, string>;
  /** The option (a boolean of the dataset's `options`) that makes missing rows instead of refusing. */
  createOption?: string;
  /**
   * Whether the nearest name is told of one that was not found. Not for ids that a machine makes, whose neighbours mean
   * nothing, nor for tables of very many rows, each of which is compared. @default true
   */
  suggest?: boolean;
}

export interface Column {
  /** The name in the contract: what a mapping says and a problem names. */
  name: string;
  /** What a person reads in a template and in messages. */
  title: string;
  type: ColumnType;
  /** Whether a new row needs it. @default false */
  required?: boolean;
  /** Other headings it answers to, in any case and punctuation. */
  headings?: readonly string[];
  example: string;
  /** The values it takes; compared without case, written as they stand here. */
  values?: readonly string[];
  /** Characters at most. */
  maxLength?: number;
  min?: number;
  max?: number;
  /** Masked in problems and previews; only the owner's own problems.csv has it. @default false */
  sensitive?: boolean;
  /** The target's column. @default name */
  target?: string;
  lookup?: Lookup;
}

export interface Dataset {
  /** Such as `pipetrak.components`. */
  name: string;
  title: string;
  /** Schema and table that rows are written to. */
  target: string;
  /** Target columns that identify a row, those of the scope among them. */
  key: readonly string[];
  modes: readonly Mode[];
  /** What the caller says once for all rows; its fields are columns of the target. */
  scope: z.ZodObject;
  /** A SQL function `(scope jsonb) returns uuid`: the organization's id, or null where the caller may not import. */
  authorize: string;
  /**
   * A SQL function `() returns boolean`: whether the caller may import into any scope at all, and sees the dataset in the
   * list. @default everybody sees it
   */
  offer?: string;
  /** Options beside those that every import has. */
  options?: z.ZodObject;
  columns: readonly Column[];
  /**
   * Triggers of the target that touch nothing but what belongs to their own row and do not change what the file
   * gives. Any other trigger makes the check run in one transaction over all rows.
   */
  rowLocalTriggers?: readonly string[];
  /** Tables that triggers of the target write, to be vacuumed with it during long checks. */
  alsoWrites?: readonly string[];
  /** Rules within a row, over the columns' canonical texts (or null); a column is named by the first step of a path. */
  row?: z.ZodType;
}

/** The codes a row's problem can have. */
export type ProblemCode =
  | "required"
  | "invalid_type"
  | "invalid_number"
  | "invalid_date"
  | "not_in_list"
  | "too_long"
  | "too_short"
  | "out_of_range"
  | "invalid_format"
  | "malformed_row"
  | "invalid_text"
  | "formula_error"
  | "duplicate_in_file"
  | "duplicate_existing"
  | "unknown_reference"
  | "rule_violated"
  | "not_allowed"
  | "conflict";
