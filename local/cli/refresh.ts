/**
 * `deno task refresh`: a person's client. In: the command line. Out: a report on standard output, progress on standard
 * error; exit code 0 where the view was refreshed, 1 where it was not, 2 for a command line that cannot be followed. Ctrl+C
 * cancels the job.
 */
import { dim, red, setColorEnabled } from "@std/fmt/colors";
import { announceStart } from "./announce_start.ts";
import { interruption } from "./interruption.ts";
import { openSession, type Session } from "./open_session.ts";
import { parseRefreshArgs, REFRESH_USAGE, type RefreshArgs } from "./parse_refresh_args.ts";
import { printFailure } from "./print_failure.ts";
import { runRefresh } from "./run_refresh.ts";
import { UsageError } from "./usage_error.ts";

if (import.meta.main) Deno.exit(await refresh(Deno.args));

async function refresh(typed: string[]): Promise<number> {
  if (!Deno.stdout.isTerminal()) setColorEnabled(false);
  let args: RefreshArgs | null;
  try {
    args = parseRefreshArgs(typed, Deno.env.toObject());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(red(error.message));
    console.error(dim("See deno task refresh --help"));
    return 2;
  }
  if (!args) {
    console.log(REFRESH_USAGE);
    return 0;
  }

  const signal = interruption("Cancelled");
  let session: Session | undefined;
  try {
    session = await openSession(args.target, { onStart: announceStart });
    return await runRefresh(args, { session, signal });
  } catch (error) {
    printFailure(error);
    return 1;
  } finally {
    await session?.end();
  }
}
