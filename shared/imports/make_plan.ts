/**
 * The plan of an import: dataset, scope and mapping as the database needs them to make the write. What it means is
 * written above `jobs_private.compile_import()`.
 */
import type { Dataset, Mode } from "./dataset.ts";

export interface PlanOptions {
  mode: Mode;
  scope: Record<string, unknown>;
  /** The dataset's own options, as given. */
  options: Record<string, unknown>;
  fileIndex: readonly (number | null)[];
  headings: readonly string[];
  /** The sheet's name; null for a CSV. */
  sheet: string | null;
}

export interface Plan {
  target: string;
  mode: Mode;
  key: readonly string[];
  fixed: Record<string, string>;
  authorize: string;
  scope: Record<string, unknown>;
  row_local_triggers: readonly string[];
  sheet: string | null;
  columns: PlanColumn[];
}

export interface PlanColumn {
  name: string;
  title: string;
  target: string;
  heading: string | null;
  file_index: number | null;
  mapped: boolean;
  required: boolean;
  sensitive: boolean;
  lookup?: {
    table: string;
    match: string;
    value: string;
    within: Record<string, string>;
    create: boolean;
    suggest?: false;
  };
}

export function makePlan(dataset: Dataset, options: PlanOptions): Plan {
  return {
    target: dataset.target,
    mode: options.mode,
    key: dataset.key,
    fixed: Object.fromEntries(Object.entries(options.scope).map(([name, value]) => [name, String(value)])),
    authorize: dataset.authorize,
    scope: options.scope,
    row_local_triggers: dataset.rowLocalTriggers ?? [],
    sheet: options.sheet,
    columns: dataset.columns.map((column, place) => {
      const index = options.fileIndex[place] ?? null;
      const { lookup } = column;
      return {
        name: column.name,
        title: column.title,
        target: column.target ?? column.name,
        heading: index === null ? null : options.headings[index] ?? null,
        file_index: index,
        mapped: index !== null,
        required: column.required ?? false,
        sensitive: column.sensitive ?? false,
        ...(lookup && {
          lookup: {
            table: lookup.table,
            match: lookup.match,
            value: lookup.value,
            within: lookup.within,
            create: lookup.createOption !== undefined && options.options[lookup.createOption] === true,
            ...(lookup.suggest === false && { suggest: false }),
          },
        }),
      };
    }),
  };
}
