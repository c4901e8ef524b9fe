/** Reading .xlsx workbooks, restartable at every batch, and writing them as a stream. */
export { openXlsx, type OpenXlsxOptions, type XlsxCursor } from "./open_xlsx.ts";
export { writeXlsx, type WriteXlsxOptions } from "./write_xlsx.ts";
