/** What goes into `POST import-commit`: a commit of a check, or a slice to go on with. */
export { CommitRequest } from "../../shared/imports/import_request.ts";
export { SliceRequest } from "../../shared/http/slice_request.ts";
