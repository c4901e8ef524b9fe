/**
 * `deno task export`: a person's client. In: the command line. Out: a file, a report on standard output, progress on
 * standard error; exit code 0 where the file is there, 1 where it is not, 2 for a command line that cannot be followed.
 * Ctrl+C cancels the job.
 */
import { dim, red, setColorEnabled } from "@std/fmt/colors";
import { announceStart } from "./announce_start.ts";
import { interruption } from "./interruption.ts";
import { openSession, type Session } from "./open_session.ts";
import { EXPORT_USAGE, type ExportArgs, parseExportArgs } from "./parse_export_args.ts";
import { printFailure } from "./print_failure.ts";
import { runExport } from "./run_export.ts";
import { UsageError } from "./usage_error.ts";

if (import.meta.main) Deno.exit(await exportFile(Deno.args));

async function exportFile(typed: string[]): Promise<number> {
  if (!Deno.stdout.isTerminal()) setColorEnabled(false);
  let args: ExportArgs | null;
  try {
    args = parseExportArgs(typed, Deno.env.toObject());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(red(error.message));
    console.error(dim("See deno task export --help"));
    return 2;
  }
  if (!args) {
    console.log(EXPORT_USAGE);
    return 0;
  }

  const signal = interruption("Cancelled");
  let session: Session | undefined;
  try {
    session = await openSession(args.target, { onStart: announceStart });
    return await runExport(args, { session, signal });
  } catch (error) {
    printFailure(error);
    return 1;
  } finally {
    await session?.end();
  }
}
