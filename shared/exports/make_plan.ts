/** A request for an export as the database gets it: names and values, of which it makes the query. */
import type { FilterValues } from "./filter_schema.ts";
import type { Filter } from "./report.ts";
import type { ResolvedExport } from "./resolve_request.ts";

export interface ExportPlan {
  /** A view, or a function followed by `(filters)`. */
  source: string;
  filters: FilterValues;
  conditions: Condition[];
  columns: { source: string; name: string; type: string }[];
  order: { column: string; descending: boolean }[];
  format: string;
}

interface Condition {
  column: string;
  operator: "in" | "is" | "from_number" | "to_number" | "from_day" | "to_day" | "ranges";
  value: unknown;
}

export function makePlan({ report, format, filters, columns }: ResolvedExport): ExportPlan {
  return {
    source: report.source,
    filters,
    conditions: report.filters.flatMap((filter) => conditionsOf(filter, filters)),
    columns: columns.map(({ name, source = name, type }) => ({ source, name, type })),
    order: report.order.map((each) =>
      typeof each === "string" ? { column: each, descending: false } : { ...each }
    ),
    format,
  };
}

function conditionsOf(filter: Filter, values: FilterValues): Condition[] {
  if (filter.column === null) return [];
  const column = filter.column ?? filter.name;
  const when = (name: string, operator: Condition["operator"]) =>
    values[name] === undefined ? [] : [{ column, operator, value: values[name] }];
  switch (filter.kind) {
    case "dates":
      return [...when(`${filter.name}_from`, "from_day"), ...when(`${filter.name}_to`, "to_day")];
    case "numbers":
      return [...when(`${filter.name}_from`, "from_number"), ...when(`${filter.name}_to`, "to_number")];
    case "bucket":
      return listOf(values[filter.name], (names) => ({
        column,
        operator: "ranges",
        value: names.map((name) => filter.buckets[name]),
      }));
    case "text":
    case "choice":
      return listOf(values[filter.name], (value) => ({ column, operator: "in", value }));
    case "id":
    case "boolean":
      return when(filter.name, "is");
  }
}

function listOf(value: FilterValues[string] | undefined, make: (values: string[]) => Condition): Condition[] {
  if (value === undefined) return [];
  return [make(Array.isArray(value) ? value : [String(value)])];
}
