/** An empty file with a dataset's headings, to be filled in. */
import { CORS_HEADERS } from "../http/cors.ts";
import { writeXlsx } from "../formats/xlsx/mod.ts";
import type { Dataset } from "./dataset.ts";

export function makeTemplate(dataset: Dataset, format: "csv" | "xlsx"): Response {
  const headings = dataset.columns.map((column) => column.title);
  const headers = {
    ...CORS_HEADERS,
    "content-disposition": `attachment; filename="${dataset.name}.${format}"`,
    "content-type": format === "csv"
      ? "text/csv; charset=utf-8"
      : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  };
  const body = format === "csv"
    ? `\ufeff${headings.join(",")}\r\n`
    : writeXlsx([], { sheet: dataset.title, headings });
  return new Response(body, { headers });
}
