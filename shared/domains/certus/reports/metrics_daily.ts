/** The metrics of one account by location and local day. */
import type { Report } from "../../../exports/report.ts";

export const metricsDaily: Report = {
  name: "certus.metrics_daily",
  title: "Metrics by day",
  source: "certus.metrics_daily_report",
  authorize: "certus.authorize_export",
  rights: "certus.export_rights",
  columns: [
    { name: "local_date", heading: "Day", type: "date" },
    { name: "location", heading: "Location", type: "text", width: 12 },
    { name: "location_name", heading: "Name", type: "text", width: 24 },
    { name: "total_calls", heading: "Calls", type: "integer" },
    { name: "order_calls", heading: "Calls to order", type: "integer" },
    { name: "reservation_calls", heading: "Calls to reserve", type: "integer" },
    { name: "catering_calls", heading: "Calls for catering", type: "integer" },
    { name: "general_calls", heading: "General calls", type: "integer" },
    { name: "other_calls", heading: "Other calls", type: "integer" },
    { name: "orders_count", heading: "Orders", type: "integer" },
    { name: "reservations_count", heading: "Reservations", type: "integer" },
    { name: "total_revenue_orders", heading: "Revenue of orders", type: "number" },
    { name: "total_revenue_res_estimate", heading: "Revenue of reservations (estimate)", type: "number" },
    { name: "minutes_saved", heading: "Minutes saved", type: "number" },
  ],
  filters: [
    { name: "account_id", title: "Account", kind: "id", required: true },
    { name: "location_id", title: "Location", kind: "id" },
    { name: "location", title: "Location's code", kind: "text" },
    { name: "local_date", title: "Day", kind: "dates" },
  ],
  order: ["local_date", "location"],
};
