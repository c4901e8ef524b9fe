/**
 * Starts the check of a file. In: the file, or where it lies in Storage, and what it is. Out: the job, queued; nothing is
 * written to the target until `commitImport()`. A file is uploaded first, to a folder of its own; with the same
 * idempotency key to the same one.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { callFunction } from "./call_function.ts";
import type { ImportRequest, StoredFile } from "./import_types.ts";
import { readJobAnswer } from "./read_job_answer.ts";
import { uploadImport } from "./upload_import.ts";

export interface StartImportOptions {
  /** The same key, file and request give the same job. @default one made for this call */
  idempotencyKey?: string;
  /** The organization the file belongs to. @default the caller's only one */
  orgId?: string;
  /** Ends the call; a job that has been started stays. */
  signal?: AbortSignal;
}

export async function startImport(
  supabase: SupabaseClient,
  { file, request, ...options }: { file: File | StoredFile; request: ImportRequest } & StartImportOptions,
): Promise<Job> {
  const { orgId, idempotencyKey, signal } = options;
  const stored = file instanceof Blob
    ? await uploadImport(supabase, file, { orgId, idempotencyKey, signal })
    : file;
  const body = { ...request, file: { bucket: stored.bucket, path: stored.path } };
  return readJobAnswer(await callFunction(supabase, "import", { body, idempotencyKey, signal }));
}
