/** A small dataset for the tests of single steps. */
import { z } from "zod";
import type { Dataset } from "../../../shared/imports/dataset.ts";

export const dataset: Dataset = {
  name: "tests.parts",
  title: "Parts",
  target: "tests.parts",
  key: ["project_id", "tag"],
  modes: ["insert", "upsert", "update"],
  scope: z.strictObject({ project_id: z.uuid() }),
  authorize: "tests.authorize",
  options: z.object({ create_areas: z.boolean().optional() }),
  rowLocalTriggers: ["parts_touch"],
  columns: [
    {
      name: "tag",
      title: "Tag",
      type: "text",
      required: true,
      headings: ["line tag", "mark"],
      example: "A-1",
    },
    { name: "description", title: "Description", type: "text", headings: ["desc"], example: "Spool" },
    { name: "weight_kg", title: "Weight (kg)", type: "number", headings: ["mass"], example: "86.5" },
    {
      name: "area",
      title: "Area",
      type: "text",
      example: "North",
      target: "area_id",
      sensitive: true,
      lookup: {
        table: "tests.areas",
        match: "name",
        value: "id",
        within: { project_id: "project_id" },
        createOption: "create_areas",
      },
    },
  ],
};
