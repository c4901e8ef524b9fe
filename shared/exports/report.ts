/**
 * What a report declares: where its rows come from, who may have them, which columns a file gets and what a request may
 * narrow them by. A report is data: no loops, no awaits. Which rows a person sees is for the database to say: the source
 * is read as the person who asked, under row security.
 */

export type ReportColumnType = "text" | "integer" | "number" | "date" | "timestamp" | "boolean";

export type ExportFormat = "csv" | "xlsx" | "ndjson";

export interface ReportColumn {
  /** The name in the contract: what a request lists, and a field of NDJSON. */
  name: string;
  /** What a person reads above it. */
  heading: string;
  type: ReportColumnType;
  /** Width in a workbook, in characters. @default by the type and the heading */
  width?: number;
  /** The source's column. @default name */
  source?: string;
}

interface FilterBase {
  /** The name in requests. A range has two fields, `<name>_from` and `<name>_to`, each of which may be left out. */
  name: string;
  title: string;
  /** @default false */
  required?: boolean;
  /** The source's column that is compared; null where the source is a function that looks at the filter itself. @default name */
  column?: string | null;
}

/** A row's id: a UUID. */
export interface IdFilter extends FilterBase {
  kind: "id";
}

/** Exactly this text; a request may give several, of which one has to fit. */
export interface TextFilter extends FilterBase {
  kind: "text";
}

/** One of these values; a request may give several unless `single`. */
export interface ChoiceFilter extends FilterBase {
  kind: "choice";
  values: readonly string[];
  /** @default false */
  single?: boolean;
}

export interface BooleanFilter extends FilterBase {
  kind: "boolean";
}

/** Days, both included; of a column with a time, by UTC. */
export interface DatesFilter extends FilterBase {
  kind: "dates";
}

/** Numbers, both included. */
export interface NumbersFilter extends FilterBase {
  kind: "numbers";
}

/** Ranges of a number that have names, such as durations: `from` is included, `below` is not. */
export interface BucketFilter extends FilterBase {
  kind: "bucket";
  buckets: Readonly<Record<string, { from?: number; below?: number }>>;
}

export type Filter =
  | IdFilter
  | TextFilter
  | ChoiceFilter
  | BooleanFilter
  | DatesFilter
  | NumbersFilter
  | BucketFilter;

export interface Report {
  /** Such as `pipetrak.components`. */
  name: string;
  title: string;
  /**
   * A view or table (`pipetrak.components_report`), or a SQL function that is given all filters as they were asked for
   * (`pipetrak.progress_report(filters)`, `p_filters jsonb`, returns a table). Both are read as the person who asked.
   */
  source: string;
  /**
   * A SQL function `(p_filters jsonb) returns uuid`, asked as the person: the organization that the export belongs to, or
   * null where the person may not have it.
   */
  authorize: string;
  /**
   * A SQL function `(p_filters jsonb) returns text`, asked as the person: what the rows depend on where that is more than
   * the right to have them, such as a role that masks a column. An export fails when the answer changes between two
   * slices. @default nothing
   */
  rights?: string;
  columns: readonly ReportColumn[];
  filters: readonly Filter[];
  /** The source's columns that rows are ordered by. */
  order: readonly (string | { column: string; descending: true })[];
  /** @default all */
  formats?: readonly ExportFormat[];
}

export const EXPORT_FORMATS: readonly ExportFormat[] = ["csv", "xlsx", "ndjson"];

export function formatsOf(report: Report): readonly ExportFormat[] {
  return report.formats ?? EXPORT_FORMATS;
}
