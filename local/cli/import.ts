/**
 * `deno task import`: a person's client. In: the command line. Out: a report on standard output, progress on standard
 * error; exit code 0 where all is well, 1 for rows with problems and failures, 2 for a command line that cannot be
 * followed. Ctrl+C cancels the job.
 */
import { dim, red, setColorEnabled } from "@std/fmt/colors";
import { basename } from "@std/path";
import { announceStart } from "./announce_start.ts";
import { interruption } from "./interruption.ts";
import { openSession, type Session } from "./open_session.ts";
import { IMPORT_USAGE, type ImportArgs, parseImportArgs } from "./parse_import_args.ts";
import { printFailure } from "./print_failure.ts";
import { runImport } from "./run_import.ts";
import { UsageError } from "./usage_error.ts";

if (import.meta.main) Deno.exit(await importFile(Deno.args));

async function importFile(typed: string[]): Promise<number> {
  if (!Deno.stdout.isTerminal()) setColorEnabled(false);
  let args: ImportArgs | null;
  let file: File;
  try {
    args = parseImportArgs(typed, Deno.env.toObject());
    if (!args) {
      console.log(IMPORT_USAGE);
      return 0;
    }
    file = await readFile(args.file);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(red(error.message));
    console.error(dim("See deno task import --help"));
    return 2;
  }

  const signal = interruption("Cancelled");
  let session: Session | undefined;
  try {
    session = await openSession(args.target, { onStart: announceStart });
    return await runImport(args, { session, file, typed, signal });
  } catch (error) {
    printFailure(error);
    return 1;
  } finally {
    await session?.end();
  }
}

async function readFile(path: string): Promise<File> {
  try {
    return new File([await Deno.readFile(path)], basename(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UsageError(`Cannot read "${path}": found no such file`);
    }
    if (error instanceof Deno.errors.IsADirectory) {
      throw new UsageError(`Cannot read "${path}": found a folder, expected a file`);
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      throw new UsageError(`Cannot read "${path}": found no permission to do so`);
    }
    throw error;
  }
}
