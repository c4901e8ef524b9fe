/**
 * The bench's datasets: a table of the shape of `pipetrak.components` without its triggers; the same table with areas
 * that have to be known; and the same with a trigger that alone knows which rows are wrong.
 */
import { z } from "zod";
import type { Dataset } from "../../shared/imports/dataset.ts";
import { components } from "../../shared/domains/pipetrak/datasets/components.ts";

const { rowLocalTriggers: _, alsoWrites: __, options: ___, ...base } = components;

export const benchRows: Dataset = {
  ...base,
  name: "bench.rows",
  target: "public.bench_rows",
  scope: z.strictObject({ project_id: z.uuid() }),
  columns: [
    ...components.columns.map(({ lookup: _, target: __, ...column }) => column),
    { name: "remarks", title: "Remarks", type: "text", example: "see note 3" },
  ],
};

export const referringRows: Dataset = {
  ...benchRows,
  name: "bench.referring_rows",
  columns: benchRows.columns.map((column) =>
    column.name === "area"
      ? {
        ...column,
        lookup: {
          table: "public.bench_areas",
          match: "name",
          value: "name",
          within: { project_id: "project_id" },
        },
      }
      : column
  ),
};

export const triggeredRows: Dataset = {
  ...benchRows,
  name: "bench.triggered_rows",
  target: "public.bench_triggered_rows",
  rowLocalTriggers: ["bench_refuse_rows"],
};
