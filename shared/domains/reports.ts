/** Every report there is, and the one that a request names. */
import { LongshoreError } from "../errors.ts";
import type { Report } from "../exports/report.ts";
import { nearestName } from "../text/nearest_name.ts";
import { calls } from "./certus/reports/calls.ts";
import { metricsDaily } from "./certus/reports/metrics_daily.ts";
import { orders } from "./certus/reports/orders.ts";
import { components } from "./pipetrak/reports/components.ts";
import { drawings } from "./pipetrak/reports/drawings.ts";
import { importProblems } from "./pipetrak/reports/import_problems.ts";
import { progress } from "./pipetrak/reports/progress.ts";

export const reports: readonly Report[] = [
  components,
  progress,
  drawings,
  importProblems,
  metricsDaily,
  calls,
  orders,
];

export function findReport(name: string, among: readonly Report[] = reports): Report {
  const report = among.find((candidate) => candidate.name === name);
  if (report) return report;
  const names = among.map((candidate) => candidate.name);
  const near = nearestName(name, names);
  throw new LongshoreError(
    "unknown_report",
    `Cannot find the report "${name}": ${
      near ? `the nearest is "${near}"` : `expected one of ${names.join(", ")}`
    }`,
    { details: { report: name, reports: names } },
  );
}
