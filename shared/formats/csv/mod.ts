/** Reading CSV: bytes in, batches of rows out, restartable at every batch. */
export { type CsvCursor, openCsv, type OpenCsvOptions } from "./open_csv.ts";
