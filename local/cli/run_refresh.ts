/**
 * One refresh from a terminal. In: what the command line says and the session. Out: an exit code: 0 where the view was
 * refreshed, else 1.
 */
import { dim } from "@std/fmt/colors";
import { createLongshore, type RefreshResult, refreshResult } from "../../shared/client/mod.ts";
import { followJob } from "./follow_job.ts";
import { makeAccount } from "./make_account.ts";
import type { Session } from "./open_session.ts";
import type { RefreshArgs } from "./parse_refresh_args.ts";
import { printFailure } from "./print_failure.ts";
import { countedText, durationText } from "./terminal/quantities.ts";

export interface RunRefreshOptions {
  session: Session;
  /** Cancels the job. */
  signal: AbortSignal;
}

export async function runRefresh(
  { view, json }: RefreshArgs,
  { session, signal }: RunRefreshOptions,
): Promise<number> {
  const longshore = createLongshore(session.supabase);
  // The local stack's person has an organization; the metrics concern those with an account.
  if (session.orgId !== null && view.startsWith("certus.")) {
    await makeAccount(session.supabase, session.orgId);
  }
  const started = await longshore.startRefresh(view, { signal });
  const ended = await followJob(longshore, started, { label: "Refreshing", signal });
  const result = refreshResult(ended);
  if (ended.error) printFailure(ended.error);
  if (json) console.log(JSON.stringify(ended));
  else if (result) printResult(result);
  return result ? 0 : 1;
}

function printResult({ view, refreshed_at, duration_ms, concurrent, jobs_served }: RefreshResult): void {
  const facts: [string, string][] = [
    ["View", view],
    ["As of", `${refreshed_at.slice(0, 19).replace("T", " ")} UTC`],
    ["Took", `${durationText(duration_ms)}${concurrent ? ", while readers went on" : ", as it was empty"}`],
    ...(jobs_served > 0
      ? [["Served", `${countedText(jobs_served, "other job")} that waited`] as [string, string]]
      : []),
  ];
  console.log();
  for (const [name, text] of facts) console.log(`  ${dim(name.padEnd(14))}${text}`);
}
