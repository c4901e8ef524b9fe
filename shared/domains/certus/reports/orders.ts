/** The orders of one account, the newest first. Phone numbers are whole in an admin's file, masked in others'. */
import type { Report } from "../../../exports/report.ts";

export const orders: Report = {
  name: "certus.orders",
  title: "Orders",
  source: "certus.orders_report",
  authorize: "certus.authorize_export",
  rights: "certus.export_rights",
  // Headed as the dataset is, so that an admin's workbook can be corrected and imported.
  columns: [
    { name: "external_id", heading: "Order ID", type: "text", width: 20 },
    { name: "location", heading: "Location", type: "text", width: 12 },
    { name: "location_name", heading: "Location name", type: "text", width: 24 },
    { name: "created_at", heading: "Ordered at", type: "timestamp" },
    { name: "local_date", heading: "Local day", type: "date" },
    { name: "status", heading: "Status", type: "text", width: 14 },
    { name: "fulfillment_type", heading: "Fulfillment", type: "text", width: 14 },
    { name: "customer_name", heading: "Customer", type: "text", width: 24 },
    { name: "customer_phone", heading: "Customer phone", type: "text", width: 20 },
    { name: "subtotal", heading: "Subtotal", type: "number", source: "subtotal_amount" },
    { name: "tax", heading: "Tax", type: "number", source: "tax_amount" },
    { name: "service_charge", heading: "Service charge", type: "number", source: "service_charge_amount" },
    { name: "delivery", heading: "Delivery", type: "number", source: "delivery_amount" },
    { name: "total", heading: "Total", type: "number", source: "total_amount" },
    { name: "currency", heading: "Currency", type: "text" },
  ],
  filters: [
    { name: "account_id", title: "Account", kind: "id", required: true },
    { name: "location_id", title: "Location", kind: "id" },
    { name: "location", title: "Location's code", kind: "text" },
    {
      name: "status",
      title: "Status",
      kind: "choice",
      values: ["pending", "confirmed", "preparing", "completed", "cancelled", "failed", "unknown"],
    },
    {
      name: "fulfillment_type",
      title: "Fulfillment",
      kind: "choice",
      values: ["pickup", "delivery", "dine_in", "other"],
    },
    { name: "created_at", title: "Ordered (UTC)", kind: "dates" },
    { name: "local_date", title: "Local day", kind: "dates" },
    { name: "total", title: "Total", kind: "numbers", column: "total_amount" },
  ],
  order: [{ column: "created_at", descending: true }, "id"],
};
