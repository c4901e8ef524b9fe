/**
 * The command line of `deno task import`. In: its arguments. Out: what is to be done; a `UsageError` that names the nearest
 * flag where one is misspelt. It looks at no file and asks no server.
 */
import { parseArgs } from "@std/cli/parse-args";
import type { CommitPolicy, ImportMode, ImportOptions } from "../../shared/client/mod.ts";
import { readTarget, type Target, TARGET_FLAGS, TARGET_USAGE } from "./read_target.ts";
import { unknownFlag } from "./unknown_flag.ts";
import { UsageError } from "./usage_error.ts";

export const IMPORT_USAGE = `deno task import FILE [options]

What to import
  --dataset NAME         what the rows are                     (pipetrak.components)
  --scope k=v            what holds for all rows               (the project that the demo left behind)
  --mode MODE            insert, upsert or update              (insert)
  --commit               write the rows after the check
  --policy POLICY        all_or_nothing, valid_rows or stop_after
                                                               (all_or_nothing)
  --stop-after N         failed rows that end a commit         (with --policy stop_after)

How to read the file; what is not given is found out
  --sheet NAME           --header-row N         --delimiter CHAR (or "tab")      --encoding NAME
  --map "Heading=column" (or "Heading=" to leave it out)
  --date-order ORDER     dmy, mdy or ymd        --decimal MARK   "." or ","
  --stop-after-problems N                       --option k=v     what the dataset adds

${TARGET_USAGE}
  --org ID               whose file it is                      (your only organization)

  --json                 the final job as JSON on standard output
  --help`;

export interface ImportArgs {
  file: string;
  dataset: string;
  /** Null: the default of the session. */
  scope: Record<string, unknown> | null;
  options: ImportOptions;
  /** Null: only the check. */
  commit: { policy: CommitPolicy; stopAfter?: number } | null;
  json: boolean;
  target: Target;
  orgId: string | null;
}

const TEXTS = [
  "dataset",
  "mode",
  "policy",
  "stop-after",
  "sheet",
  "header-row",
  "delimiter",
  "encoding",
  "date-order",
  "decimal",
  "stop-after-problems",
  ...TARGET_FLAGS,
  "org",
] as const;
const LISTS = ["scope", "map", "option"] as const;
const SWITCHES = ["commit", "json", "help"] as const;

type Given = Partial<Record<typeof TEXTS[number], string>>;

/** Null where help is asked for. */
export function parseImportArgs(
  args: string[],
  environment: Record<string, string> = {},
): ImportArgs | null {
  const given = parseArgs(args, {
    // Names of files are texts even where they look like numbers.
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

  const [file, ...rest] = given._.map(String);
  if (file === undefined) throw new UsageError("Cannot import: found no file, expected its name");
  if (rest.length > 0) {
    throw new UsageError(
      `Cannot import "${rest[0]}" too: expected one file; put names with spaces in quotes`,
    );
  }
  return {
    file,
    dataset: given.dataset ?? "pipetrak.components",
    scope: given.scope.length > 0 ? pairs(given.scope, "scope") : null,
    options: readOptions(given, { map: given.map, option: given.option }),
    commit: readCommit(given, given.commit),
    json: given.json,
    target: readTarget(given, environment),
    orgId: given.org ?? null,
  };
}

function readOptions(given: Given, { map, option }: { map: string[]; option: string[] }): ImportOptions {
  const options: ImportOptions = pairs(option, "option");
  const mode = oneOf<ImportMode>(given.mode, "mode", ["insert", "upsert", "update"]);
  const order = oneOf(given["date-order"], "date-order", ["dmy", "mdy", "ymd"] as const);
  const decimal = oneOf(given.decimal, "decimal", [".", ","] as const);
  const headerRow = wholeNumber(given["header-row"], "header-row");
  const stopAfter = wholeNumber(given["stop-after-problems"], "stop-after-problems");
  if (mode) options.mode = mode;
  if (order) options.date_order = order;
  if (decimal) options.decimal = decimal;
  if (headerRow) options.header_row = headerRow;
  if (stopAfter) options.stop_after_problems = stopAfter;
  if (given.sheet) options.sheet = given.sheet;
  if (given.encoding) options.encoding = given.encoding;
  if (given.delimiter) options.delimiter = /^(tab|\\t)$/i.test(given.delimiter) ? "\t" : given.delimiter;
  if (map.length > 0) options.columns = Object.fromEntries(map.map(readMapping));
  return options;
}

function readCommit(given: Given, commit: boolean): ImportArgs["commit"] {
  const policy = oneOf<CommitPolicy>(given.policy, "policy", ["all_or_nothing", "valid_rows", "stop_after"]);
  const stopAfter = wholeNumber(given["stop-after"], "stop-after");
  if (!commit && (policy || stopAfter)) {
    throw new UsageError(`Cannot use --${policy ? "policy" : "stop-after"}: expected --commit with it`);
  }
  if ((policy === "stop_after") !== (stopAfter !== undefined)) {
    throw new UsageError("Cannot commit: expected --stop-after N and --policy stop_after together");
  }
  if (!commit) return null;
  return { policy: policy ?? "all_or_nothing", ...(stopAfter ? { stopAfter } : {}) };
}

/** The heading may hold "=", a column's name never does. */
function readMapping(text: string): [string, string | null] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new UsageError(`Cannot read --map "${text}": expected "Heading=column" or "Heading="`);
  return [text.slice(0, at), text.slice(at + 1) || null];
}

function pairs(texts: string[], flag: string): Record<string, unknown> {
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`Cannot read --${flag} "${text}": expected name=value`);
    const value = text.slice(at + 1);
    return [text.slice(0, at), flag === "option" ? plainValue(value) : value];
  }));
}

function plainValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function oneOf<T extends string>(
  text: string | undefined,
  flag: string,
  allowed: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  const names = new Intl.ListFormat("en-GB", { type: "disjunction" }).format(
    allowed.map((value) => `"${value}"`),
  );
  throw new UsageError(`Cannot use --${flag}: found "${text}", expected ${names}`);
}

function wholeNumber(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`Cannot use --${flag}: found "${text}", expected a whole number from 1`);
}
