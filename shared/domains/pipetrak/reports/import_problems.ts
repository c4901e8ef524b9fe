/** The problems of one import that are kept in the table, in the order of the file. */
import type { Report } from "../../../exports/report.ts";

export const importProblems: Report = {
  name: "pipetrak.import_problems",
  title: "Problems of an import",
  source: "pipetrak.import_problems_report",
  authorize: "pipetrak.authorize_problems_export",
  columns: [
    { name: "row", heading: "Row", type: "integer" },
    { name: "line", heading: "Line", type: "integer" },
    { name: "sheet", heading: "Sheet", type: "text" },
    { name: "cell", heading: "Cell", type: "text" },
    { name: "heading", heading: "Heading", type: "text", width: 18 },
    { name: "column", heading: "Column", type: "text", width: 18 },
    { name: "code", heading: "Problem", type: "text", width: 20 },
    { name: "message", heading: "Message", type: "text", width: 60 },
    { name: "value", heading: "Found", type: "text", width: 24 },
  ],
  filters: [
    { name: "import_id", title: "Import", kind: "id", required: true },
    { name: "code", title: "Problem", kind: "text" },
    { name: "column", title: "Column", kind: "text" },
  ],
  order: ["row", "column", "code"],
};
