/** The drawing register of one project, with what each drawing holds and how far it is. */
import type { Report } from "../../../exports/report.ts";

export const drawings: Report = {
  name: "pipetrak.drawings",
  title: "Drawing register",
  source: "pipetrak.drawings_report",
  authorize: "pipetrak.authorize_export",
  columns: [
    { name: "number", heading: "Number", type: "text", width: 20 },
    { name: "revision", heading: "Revision", type: "text" },
    { name: "title", heading: "Title", type: "text", width: 40 },
    { name: "components", heading: "Components", type: "integer" },
    { name: "percent_complete", heading: "Complete (%)", type: "number" },
    { name: "created_at", heading: "Added (UTC)", type: "timestamp" },
    { name: "updated_at", heading: "Last change (UTC)", type: "timestamp" },
  ],
  filters: [
    { name: "project_id", title: "Project", kind: "id", required: true },
    { name: "number", title: "Number", kind: "text" },
    { name: "revision", title: "Revision", kind: "text" },
    { name: "updated_at", title: "Last change", kind: "dates" },
  ],
  order: ["number"],
};
