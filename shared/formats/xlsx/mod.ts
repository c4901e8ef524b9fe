/** Reading and writing .xlsx workbooks: as streams, and so that both can be left and gone on with elsewhere. */
export { openXlsx, type OpenXlsxOptions, type XlsxCursor } from "./open_xlsx.ts";
export { writeXlsx, type WriteXlsxOptions } from "./write_xlsx.ts";
export {
  createWorkbookWriter,
  type WorkbookOptions,
  type WorkbookState,
  type WorkbookWriter,
} from "./workbook_writer.ts";
export type { ColumnType, WorkbookColumn } from "./workbook_columns.ts";
export type { WorkbookValue } from "./write_value.ts";
