/** Progress of one project, rolled up by area, system, test package or drawing. */
import type { Report } from "../../../exports/report.ts";

export const progress: Report = {
  name: "pipetrak.progress",
  title: "Progress",
  source: "pipetrak.progress_report(filters)",
  authorize: "pipetrak.authorize_export",
  columns: [
    { name: "by", heading: "By", type: "text", width: 14 },
    { name: "name", heading: "Name", type: "text", width: 24 },
    { name: "components", heading: "Components", type: "integer" },
    { name: "not_started", heading: "Not started", type: "integer" },
    { name: "in_progress", heading: "In progress", type: "integer" },
    { name: "complete", heading: "Complete", type: "integer" },
    { name: "percent_complete", heading: "Complete (%)", type: "number" },
    { name: "weight_kg", heading: "Weight (kg)", type: "number" },
  ],
  filters: [
    { name: "project_id", title: "Project", kind: "id", required: true, column: null },
    {
      name: "by",
      title: "By",
      kind: "choice",
      values: ["area", "system", "test_package", "drawing"],
      required: true,
      column: null,
    },
  ],
  order: ["by", "name"],
};
