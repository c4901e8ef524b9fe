/** What goes into `POST export`. */
export { ExportRequest } from "../../shared/exports/export_request.ts";
export { SliceRequest } from "../../shared/http/slice_request.ts";
