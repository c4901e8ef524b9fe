/**
 * The command line of `deno task refresh`. In: its arguments. Out: what is to be done; a `UsageError` that names the
 * nearest flag where one is misspelt. It asks no server.
 */
import { parseArgs } from "@std/cli/parse-args";
import { readTarget, type Target, TARGET_FLAGS, TARGET_USAGE } from "./read_target.ts";
import { unknownFlag } from "./unknown_flag.ts";
import { UsageError } from "./usage_error.ts";

export const REFRESH_USAGE = `deno task refresh VIEW [options]

What to refresh
  VIEW                   such as certus.mv_metrics_daily

${TARGET_USAGE}

  --json                 the final job as JSON on standard output
  --help`;

export interface RefreshArgs {
  view: string;
  json: boolean;
  target: Target;
}

const SWITCHES = ["json", "help"] as const;

/** Null where help is asked for. */
export function parseRefreshArgs(
  args: string[],
  environment: Record<string, string> = {},
): RefreshArgs | null {
  const given = parseArgs(args, {
    string: [...TARGET_FLAGS, "_"],
    boolean: SWITCHES,
    unknown: (name: string, _key?: string) => {
      if (name.startsWith("-")) throw unknownFlag(name, [...TARGET_FLAGS, ...SWITCHES]);
      return true;
    },
  });
  if (given.help) return null;
  for (const name of TARGET_FLAGS) {
    if (given[name] === "") throw new UsageError(`Cannot read --${name}: found nothing after it`);
  }
  const [view, ...rest] = given._.map(String);
  if (view === undefined) {
    throw new UsageError("Cannot refresh: found no view, expected its name, such as certus.mv_metrics_daily");
  }
  if (rest.length > 0) throw new UsageError(`Cannot refresh "${rest[0]}" too: expected one view`);
  return { view, json: given.json, target: readTarget(given, environment) };
}
