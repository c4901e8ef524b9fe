/**
 * A request for an export, with everything that its report knows about it. What the report does not have is refused with
 * the nearest name that it has.
 */
import { z } from "zod";
import { findReport } from "../domains/reports.ts";
import { LongshoreError } from "../errors.ts";
import { parseInput } from "../http/read_body.ts";
import { nearestName } from "../text/nearest_name.ts";
import type { ExportRequest } from "./export_request.ts";
import { filterNames, filterSchema, type FilterValues } from "./filter_schema.ts";
import { type ExportFormat, formatsOf, type Report, type ReportColumn } from "./report.ts";

export interface ResolvedExport {
  report: Report;
  format: ExportFormat;
  filters: FilterValues;
  columns: readonly ReportColumn[];
}

export function resolveRequest(request: ExportRequest, among?: readonly Report[]): ResolvedExport {
  const report = findReport(request.report, among);
  const formats = formatsOf(report);
  const format = formats.find((candidate) => candidate === request.format);
  if (!format) throw unknown("format", request.format, { known: formats, path: "format" });
  const filters = request.filters ?? {};
  const known = filterNames(report);
  for (const name of Object.keys(filters)) {
    if (!known.includes(name)) throw unknown("filter", name, { known, path: `filters.${name}` });
  }
  return {
    report,
    format,
    filters: parseInput({ filters }, z.object({ filters: filterSchema(report) })).filters,
    columns: chooseColumns(report, request.columns),
  };
}

function chooseColumns(report: Report, names: readonly string[] | undefined): readonly ReportColumn[] {
  if (!names) return report.columns;
  return names.map((name, place) => {
    const column = report.columns.find((candidate) => candidate.name === name);
    const path = `columns.${place}`;
    if (!column) throw unknown("column", name, { known: report.columns.map((each) => each.name), path });
    if (names.indexOf(name) < place) {
      throw refused(path, `found the column "${name}" twice, expected it once`);
    }
    return column;
  });
}

function unknown(
  what: string,
  name: string,
  { known, path }: { known: readonly string[]; path: string },
): LongshoreError {
  const near = nearestName(name, known);
  const expected = near ? `the nearest is "${near}"` : `expected one of ${known.join(", ")}`;
  return refused(path, `found the unknown ${what} "${name}": ${expected}`);
}

function refused(path: string, message: string): LongshoreError {
  return new LongshoreError("invalid_request", `Cannot read the request at "${path}": ${message}`, {
    details: { issues: [{ path, message }] },
  });
}
