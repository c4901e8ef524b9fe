/**
 * `deno task bench [NAME …] [--rows N] [--rounds N]`: runs the named benches, or all that are not slow, and prints a
 * table each. `--list` tells the names. Every figure of the documents comes from here.
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Bench } from "./bench.ts";
import { dashboard } from "./certus/dashboard.ts";
import { describeMachine } from "./describe_machine.ts";
import { exportReports } from "./export/export_reports.ts";
import { cleanImport } from "./import/clean_import.ts";
import { importComponents } from "./import/import_components.ts";
import { importProblems } from "./import/import_problems.ts";
import { largeImport } from "./import/large_import.ts";
import { jobLatency } from "./import/job_latency.ts";
import { printTable } from "./print_table.ts";
import { refreshMetrics } from "./refresh/refresh_metrics.ts";
import { writeXlsxBench } from "./writers/write_xlsx.ts";

const BENCHES: readonly Bench[] = [
  cleanImport,
  importProblems,
  importComponents,
  jobLatency,
  largeImport,
  exportReports,
  writeXlsxBench,
  refreshMetrics,
  dashboard,
];

const args = parseArgs(Deno.args, {
  string: ["rows", "rounds"],
  boolean: ["list"],
  default: { rows: "200000", rounds: "3" },
  unknown(option: string, name?: string) {
    if (name !== undefined) {
      end(`Cannot run: found "${option}", expected NAME …, --rows N, --rounds N or --list`);
    }
    return true;
  },
});
if (args.list) list();
else await run();

async function run(): Promise<void> {
  const options = { rows: count("rows", args.rows), rounds: count("rounds", args.rounds) };
  const names = args._.map(String);
  const chosen = names.length > 0 ? names.map(find) : BENCHES.filter(({ slow }) => !slow);
  for (const line of await describeMachine()) console.log(line);
  for (const bench of chosen) printTable(await bench.run(options));
}

function find(name: string): Bench {
  return BENCHES.find((bench) => bench.name === name) ??
    end(`Cannot run "${name}": expected one of ${BENCHES.map((bench) => bench.name).join(", ")}`);
}

function list(): void {
  for (const { name, title, slow } of BENCHES) {
    console.log(`${name.padEnd(20)}${title}${slow ? " (slow: runs only when named)" : ""}`);
  }
  console.log(
    "\nWhat reading a file costs: deno run -A bench/readers/csv.ts, deno run -A bench/readers/xlsx.ts",
  );
}

function count(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  return end(`Cannot run: found --${name} "${text}", expected a whole number above 0`);
}

function end(message: string): never {
  console.error(message);
  Deno.exit(2);
}
