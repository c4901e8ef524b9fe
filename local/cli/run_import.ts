/**
 * One import from a terminal. In: what the command line says, the session, the file. Out: an exit code: 0 where every row
 * is good and, with `--commit`, written; else 1. The story is upload, check, report, commit.
 */
import { dim } from "@std/fmt/colors";
import {
  checkResult,
  commitResult,
  createLongshore,
  type Job,
  type Longshore,
  LongshoreClientError,
} from "../../shared/client/mod.ts";
import { checkFile } from "./check_file.ts";
import { followJob } from "./follow_job.ts";
import { nextSteps, stepsAfterFailure } from "./next_steps.ts";
import type { Session } from "./open_session.ts";
import type { ImportArgs } from "./parse_import_args.ts";
import { firstProblems, printCheck } from "./print_check.ts";
import { printCommit } from "./print_commit.ts";
import { printFailure } from "./print_failure.ts";
import { saveProblems } from "./save_problems.ts";

export interface RunImportOptions {
  session: Session;
  file: File;
  /** The command line as it was typed, to say how to go on. */
  typed: string[];
  /** Cancels the job that runs. */
  signal: AbortSignal;
}

export async function runImport(
  args: ImportArgs,
  { session, file, typed, signal }: RunImportOptions,
): Promise<number> {
  const longshore = createLongshore(session.supabase);
  const scope = args.scope ?? defaultScope(args.dataset, session);
  const orgId = args.orgId ?? session.orgId;
  const checked = await checkFile(longshore, file, {
    request: { dataset: args.dataset, options: args.options, ...(scope ? { scope } : {}) },
    ...(orgId ? { orgId } : {}),
    signal,
  });
  const problemsPath = await report(longshore, checked, args);
  const result = checkResult(checked);

  let last = checked;
  if (result && args.commit) {
    last = await commit(longshore, checked, { ...args.commit, json: args.json, signal });
  }
  if (args.json) console.log(JSON.stringify(last));
  else {
    const lines = result
      ? nextSteps({ result, last, args, typed, problemsPath })
      : stepsAfterFailure(last, typed);
    for (const line of lines) console.log(line);
  }
  const written = !args.commit || last.kind === "import_commit";
  return written && last.state === "succeeded" && result?.invalid === 0 && !commitResult(last)?.failed
    ? 0
    : 1;
}

function defaultScope(dataset: string, { projectId }: Session): Record<string, unknown> | null {
  return projectId !== null && dataset.startsWith("pipetrak.") ? { project_id: projectId } : null;
}

/** Says what the check found; returns where the rows with problems were saved. */
async function report(longshore: Longshore, job: Job, args: ImportArgs): Promise<string | null> {
  if (job.error) printFailure(job.error);
  const result = checkResult(job);
  if (!result) return null;
  if (!args.json) printCheck(result, { examples: await firstProblems(longshore, job.id, result) });
  const path = await saveProblems(longshore, job, { beside: args.file });
  if (path && !args.json) {
    const cut = result.problems_file_cut ? " (the first rows: all of them do not fit in one file)" : "";
    console.log(`\n  ${dim("Saved".padEnd(14))}${path}${cut}`);
  }
  return path;
}

/** The job of the commit; the check where its commit was refused, which leaves it as it was. */
async function commit(
  longshore: Longshore,
  checked: Job,
  { json, signal, ...options }: NonNullable<ImportArgs["commit"]> & { json: boolean; signal: AbortSignal },
): Promise<Job> {
  if (!json) console.log();
  let started: Job;
  try {
    started = await longshore.commitImport(checked.id, { ...options, signal });
  } catch (error) {
    if (!(error instanceof LongshoreClientError) || error.status !== 409) throw error;
    printFailure(error);
    return checked;
  }
  const ended = await followJob(longshore, started, { label: "Committing", signal });
  const result = commitResult(ended);
  if (result && !json) printCommit(result);
  if (ended.error) printFailure(ended.error);
  return ended;
}
