/** A report as the API publishes it. */
import { filterJsonSchema } from "./filter_schema.ts";
import { formatsOf, type Report } from "./report.ts";

export function describeReport(report: Report) {
  return {
    name: report.name,
    title: report.title,
    columns: report.columns.map(({ name, heading, type }) => ({ name, heading, type })),
    filters: filterJsonSchema(report),
    formats: formatsOf(report),
  };
}
