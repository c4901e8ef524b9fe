/**
 * What a function does with a valid request: make a job in the caller's name, or the one that was made for the same
 * Idempotency-Key, and start working on it behind the answer.
 */
import { LongshoreError } from "../errors.ts";
import type { Job } from "../jobs/job.ts";
import { runSlice } from "../jobs/run_slice.ts";
import type { SliceHandler } from "../jobs/slice.ts";
import { sha256Hex } from "../text/sha256_hex.ts";
import type { UserCaller } from "./authenticate.ts";
import type { Call } from "./handle.ts";
import { inBackground } from "./in_background.ts";
import { respond } from "./respond.ts";

export interface StartJobOptions {
  kind: Job["kind"];
  function: string;
  orgId: string;
  params: Record<string, unknown>;
  /** What an Idempotency-Key stands for. @default params */
  request?: unknown;
  parentId?: string;
  file?: { bucket: string; path: string };
  handler: SliceHandler;
}

export async function startJob(call: Call, caller: UserCaller, options: StartJobOptions): Promise<Response> {
  const key = idempotencyKey(call.request);
  const { data, error } = await caller.client.schema("jobs").rpc("enqueue_job", {
    p_function: options.function,
    p_kind: options.kind,
    p_org_id: options.orgId,
    p_params: options.params,
    p_parent_id: options.parentId ?? null,
    p_idempotency_key: key,
    p_request_hash: await sha256Hex(JSON.stringify(sorted(options.request ?? options.params))),
    p_file: options.file ?? null,
  });
  if (error) throw error;
  const { job, replayed } = data as { job: Job; replayed: boolean };
  Object.assign(call.log, { job_id: job.id, org_id: job.org_id });
  if (!replayed) workOn(call, { kind: options.kind, jobId: job.id, handler: options.handler, first: true });
  return respond({ job }, { status: 202 });
}

export interface WorkOptions {
  kind: Job["kind"];
  jobId: string;
  handler: SliceHandler;
  /** Whether this isolate has also answered the request that made the job. */
  first: boolean;
}

/** Runs a slice of a job behind the answer. */
export function workOn(call: Call, { kind, jobId, handler, first }: WorkOptions): void {
  const { function: name, request_id } = call.log;
  const log = { function: name, request_id };
  inBackground(runSlice({ kinds: [kind], jobId, handler, budget: first ? "first" : "full", log }), log);
}

function idempotencyKey(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null) return null;
  if (key.length >= 1 && key.length <= 255) return key;
  throw new LongshoreError(
    "invalid_request",
    "Cannot use this Idempotency-Key: expected 1 to 255 characters",
  );
}

/** The same value with its keys in order: two bodies that mean the same are the same request. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sorted(v)]),
  );
}
