/** The call log of one account, the newest first. Phone numbers are whole in an admin's file, masked in others'. */
import type { Report } from "../../../exports/report.ts";

export const calls: Report = {
  name: "certus.calls",
  title: "Call log",
  source: "certus.calls_report",
  authorize: "certus.authorize_export",
  rights: "certus.export_rights",
  // Headed as the dataset is, so that an admin's workbook can be corrected and imported.
  columns: [
    { name: "external_id", heading: "Call ID", type: "text", width: 24 },
    { name: "location", heading: "Location", type: "text", width: 12 },
    { name: "location_name", heading: "Location name", type: "text", width: 24 },
    { name: "started_at", heading: "Started at", type: "timestamp" },
    { name: "local_date", heading: "Local day", type: "date" },
    { name: "ended_at", heading: "Ended at", type: "timestamp" },
    { name: "duration_seconds", heading: "Duration (s)", type: "integer" },
    { name: "status", heading: "Status", type: "text", width: 14 },
    { name: "call_type", heading: "Call type", type: "text", width: 14 },
    { name: "caller_name", heading: "Caller name", type: "text", width: 24 },
    { name: "caller_phone", heading: "Caller phone", type: "text", width: 20 },
    { name: "summary", heading: "Summary", type: "text", width: 60, source: "summary_md" },
    { name: "recording_url", heading: "Recording", type: "text", width: 40 },
  ],
  filters: [
    { name: "account_id", title: "Account", kind: "id", required: true },
    { name: "location_id", title: "Location", kind: "id" },
    { name: "location", title: "Location's code", kind: "text" },
    {
      name: "call_type",
      title: "Call type",
      kind: "choice",
      values: ["order", "reservation", "catering", "general", "other"],
    },
    {
      name: "status",
      title: "Status",
      kind: "choice",
      values: ["in_progress", "completed", "transferred", "voicemail", "missed", "failed", "unknown"],
    },
    { name: "started_at", title: "Started (UTC)", kind: "dates" },
    { name: "local_date", title: "Local day", kind: "dates" },
    {
      name: "duration",
      title: "Duration",
      kind: "bucket",
      column: "duration_seconds",
      buckets: {
        under_30_seconds: { below: 30 },
        "30_seconds_to_2_minutes": { from: 30, below: 120 },
        "2_to_5_minutes": { from: 120, below: 300 },
        "5_to_10_minutes": { from: 300, below: 600 },
        "10_minutes_and_more": { from: 600 },
      },
    },
  ],
  order: [{ column: "started_at", descending: true }, "id"],
};
