/** The components of one project with their progress, by tag. */
import type { Report } from "../../../exports/report.ts";

export const components: Report = {
  name: "pipetrak.components",
  title: "Components with progress",
  source: "pipetrak.components_report",
  authorize: "pipetrak.authorize_export",
  // Headed as the dataset is, so that what was exported can be corrected and imported.
  columns: [
    { name: "tag", heading: "Tag", type: "text", width: 20 },
    { name: "description", heading: "Description", type: "text", width: 36 },
    { name: "type", heading: "Type", type: "text", width: 12 },
    { name: "drawing", heading: "Drawing", type: "text", width: 20 },
    { name: "area", heading: "Area", type: "text" },
    { name: "system", heading: "System", type: "text" },
    { name: "test_package", heading: "Test package", type: "text", width: 14 },
    { name: "spec", heading: "Spec", type: "text" },
    { name: "size", heading: "Size", type: "text" },
    { name: "quantity", heading: "Quantity", type: "number" },
    { name: "weight_kg", heading: "Weight (kg)", type: "number" },
    { name: "percent_complete", heading: "Complete (%)", type: "number" },
    { name: "updated_at", heading: "Last change (UTC)", type: "timestamp" },
  ],
  filters: [
    { name: "project_id", title: "Project", kind: "id", required: true },
    {
      name: "type",
      title: "Type",
      kind: "choice",
      // The rows of pipetrak.component_types; a test holds the two together.
      values: [
        "spool",
        "pipe",
        "fitting",
        "flange",
        "valve",
        "support",
        "gasket",
        "instrument",
        "field_weld",
        "insulation",
        "paint",
        "misc",
      ],
    },
    { name: "drawing", title: "Drawing", kind: "text" },
    { name: "area", title: "Area", kind: "text" },
    { name: "system", title: "System", kind: "text" },
    { name: "test_package", title: "Test package", kind: "text" },
    { name: "percent_complete", title: "Complete (%)", kind: "numbers" },
    { name: "updated_at", title: "Last change", kind: "dates" },
  ],
  order: ["tag"],
};
