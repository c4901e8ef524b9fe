/** What goes into `POST refresh-metrics`: the view to refresh, or a slice to go on with. */
export { RefreshRequest } from "../../shared/refreshes/refresh_request.ts";
export { SliceRequest } from "../../shared/http/slice_request.ts";
