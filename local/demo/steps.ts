/**
 * What the demo does again and again, with its progress on the terminal. Each step throws where it does not come out as it
 * must.
 */
import { join } from "@std/path";
import {
  type CheckResult,
  checkResult,
  type CommitPolicy,
  type CommitResult,
  commitResult,
  type ImportRequest,
  type Job,
  type Longshore,
} from "../../shared/client/mod.ts";
import { checkFile } from "../cli/check_file.ts";
import { followJob } from "../cli/follow_job.ts";

export interface Imports {
  longshore: Longshore;
  orgId: string;
  /** What is imported into. */
  scope: Record<string, string>;
  signal: AbortSignal;
}

export async function check(
  { longshore, orgId, scope, signal }: Imports,
  file: File,
  request: Pick<ImportRequest, "dataset" | "options">,
): Promise<{ job: Job; result: CheckResult }> {
  const job = await checkFile(longshore, file, {
    request: { ...request, scope },
    orgId,
    signal,
  });
  signal.throwIfAborted();
  const result = checkResult(job);
  if (!result) throw job.error ?? new Error(`Cannot go on: found the check ${job.state}, expected succeeded`);
  return { job, result };
}

export async function commit(
  { longshore, signal }: Imports,
  checked: Job,
  policy: CommitPolicy,
): Promise<CommitResult> {
  const started = await longshore.commitImport(checked.id, { policy, signal });
  const job = await followJob(longshore, started, { label: "Committing", signal });
  signal.throwIfAborted();
  const result = commitResult(job);
  if (!result || job.state !== "succeeded") {
    throw job.error ?? new Error(`Cannot go on: found the commit ${job.state}, expected succeeded`);
  }
  return result;
}

export async function saveFile(
  dir: string,
  name: string,
  { content, type }: { content: string | Uint8Array<ArrayBuffer>; type: string },
): Promise<File> {
  const file = new File([content], name, { type });
  await Deno.writeFile(join(dir, name), file.stream());
  return file;
}

/** The demo is a promise: where it does not hold, it must not look as if it did. */
export function expect(holds: boolean, what: string, found: unknown): asserts holds {
  if (!holds) throw new Error(`Cannot go on with the demo: expected ${what}, found ${JSON.stringify(found)}`);
}
