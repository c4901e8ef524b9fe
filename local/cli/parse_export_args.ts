/**
 * The command line of `deno task export`. In: its arguments. Out: what is to be done; a `UsageError` that names the
 * nearest flag where one is misspelt. It asks no server.
 */
import { parseArgs } from "@std/cli/parse-args";
import type { ExportFormat } from "../../shared/client/mod.ts";
import { readTarget, type Target, TARGET_FLAGS, TARGET_USAGE } from "./read_target.ts";
import { unknownFlag } from "./unknown_flag.ts";
import { UsageError } from "./usage_error.ts";

export const EXPORT_USAGE = `deno task export REPORT [options]

What to export
  REPORT                 such as pipetrak.components; without one, the reports there are are listed
  --format FORMAT        csv, xlsx or ndjson                   (by the name of the file, else csv)
  --filter k=v           what the rows are narrowed by; the same name again gives one more value
                                                               (the project that the demo left behind)
  --columns a,b,c        these, in this order                  (all)
  --out FILE             where to                              (REPORT.FORMAT)

${TARGET_USAGE}

  --json                 the final job as JSON on standard output
  --help`;

export interface ExportArgs {
  /** Null: list what there is. */
  report: string | null;
  format: ExportFormat;
  /** Texts by name, as they were typed. */
  filters: Record<string, string[]>;
  /** Null: all. */
  columns: string[] | null;
  out: string;
  json: boolean;
  target: Target;
}

const TEXTS = ["format", "columns", "out", ...TARGET_FLAGS] as const;
const LISTS = ["filter"] as const;
const SWITCHES = ["json", "help"] as const;
const FORMATS: readonly ExportFormat[] = ["csv", "xlsx", "ndjson"];

/** Null where help is asked for. */
export function parseExportArgs(
  args: string[],
  environment: Record<string, string> = {},
): ExportArgs | null {
  const given = parseArgs(args, {
    string: [...TEXTS, ...LISTS, "_"],
    boolean: SWITCHES,
    collect: LISTS,
    unknown: (name: string, _key?: string) => {
      if (name.startsWith("-")) throw unknownFlag(name, [...TEXTS, ...LISTS, ...SWITCHES]);
      return true;
    },
  });
  if (given.help) return null;
  for (const name of TEXTS) {
    if (given[name] === "") throw new UsageError(`Cannot read --${name}: found nothing after it`);
  }
  const [report = null, ...rest] = given._.map(String);
  if (rest.length > 0) throw new UsageError(`Cannot export "${rest[0]}" too: expected one report`);
  const format = readFormat(given.format, given.out);
  return {
    report,
    format,
    filters: readFilters(given.filter),
    columns: readColumns(given.columns),
    out: given.out ?? `${report}.${format}`,
    json: given.json,
    target: readTarget(given, environment),
  };
}

function readColumns(text: string | undefined): string[] | null {
  return text?.split(",").map((name) => name.trim()).filter((name) => name !== "") ?? null;
}

function readFormat(text: string | undefined, out: string | undefined): ExportFormat {
  if (text === undefined) return FORMATS.find((format) => out?.toLowerCase().endsWith(`.${format}`)) ?? "csv";
  const format = FORMATS.find((each) => each === text);
  if (format) return format;
  throw new UsageError(`Cannot use --format: found "${text}", expected "csv", "xlsx" or "ndjson"`);
}

function readFilters(texts: string[]): Record<string, string[]> {
  const filters: Record<string, string[]> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`Cannot read --filter "${text}": expected name=value`);
    (filters[text.slice(0, at)] ??= []).push(text.slice(at + 1));
  }
  return filters;
}
