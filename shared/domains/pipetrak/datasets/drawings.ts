/** The drawing register of one project, by number. */
import { z } from "zod";
import type { Dataset } from "../../../imports/dataset.ts";

export const drawings: Dataset = {
  name: "pipetrak.drawings",
  title: "Drawings",
  target: "pipetrak.drawings",
  key: ["project_id", "number"],
  modes: ["insert", "upsert", "update"],
  scope: z.strictObject({ project_id: z.uuid() }),
  authorize: "pipetrak.authorize_import",
  offer: "pipetrak.may_import",
  rowLocalTriggers: ["drawings_touch"],
  columns: [
    {
      name: "number",
      title: "Number",
      type: "text",
      required: true,
      headings: ["drawing", "drawing no", "drawing number", "drawing #", "dwg", "dwg no", "iso", "isometric"],
      example: "ISO-100-001",
      maxLength: 200,
    },
    { name: "revision", title: "Revision", type: "text", headings: ["rev", "rev no"], example: "B" },
    {
      name: "title",
      title: "Title",
      type: "text",
      headings: ["drawing title", "description", "name"],
      example: "Cooling water header",
    },
  ],
};
