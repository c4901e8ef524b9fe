/**
 * Writes what a check has found good. In: the check's id and what is to happen to rows with problems. Out: the job of the
 * commit, queued. It refuses (`has_problems`) what the policy does not allow; a check has one commit at most.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { callFunction } from "./call_function.ts";
import type { CommitPolicy } from "./import_types.ts";
import { readJobAnswer } from "./read_job_answer.ts";

export interface CommitImportOptions {
  /** What happens to rows with problems. @default "all_or_nothing" */
  policy?: CommitPolicy;
  /** With "stop_after": the number of failed rows that ends it. */
  stopAfter?: number;
  /** The same key and request give the same job. @default one made for this call */
  idempotencyKey?: string;
  /** Ends the call; a job that has been started stays. */
  signal?: AbortSignal;
}

export async function commitImport(
  supabase: SupabaseClient,
  importId: string,
  { policy = "all_or_nothing", stopAfter, idempotencyKey, signal }: CommitImportOptions = {},
): Promise<Job> {
  const body = { import_id: importId, policy, ...(stopAfter === undefined ? {} : { stop_after: stopAfter }) };
  return readJobAnswer(await callFunction(supabase, "import-commit", { body, idempotencyKey, signal }));
}
