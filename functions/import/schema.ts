/** What goes into `POST import`. */
export { ImportRequest, ImportRequestWithoutFile } from "../../shared/imports/import_request.ts";
export { SliceRequest } from "../../shared/http/slice_request.ts";
