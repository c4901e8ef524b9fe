/**
 * One slice of one job, from the claim to its end. In: which kinds of jobs, and the handler that does the work. Out: what
 * became of it. It keeps the lease while the handler works, stops it when the job is cancelled or taken over, and turns
 * what it returns or throws into the job's next state. It never throws for a job's failure, and no error's text gets out.
 */
import { LongshoreError } from "../errors.ts";
import { logEvent, type LogFields, safeErrorFields } from "../http/log.ts";
import { type Budget, type BudgetLimits, startBudget } from "./budget.ts";
import { connect, type Connection, type Transaction } from "./connect.ts";
import {
  becomeOwner,
  becomeWorker,
  checkpoint,
  type Claim,
  claimJob,
  failJob,
  finishJob,
  heartbeat,
  isSameFile,
  type Json,
  releaseJob,
  stopReason,
} from "./engine.ts";
import type { JobError, JobKind } from "./job.ts";
import { keepLease, type KeptLease } from "./keep_lease.ts";
import { measureProgress } from "./measure_progress.ts";
import type { AsOwnerOptions, Cursor, Slice, SliceHandler, SliceOutcome } from "./slice.ts";

export interface RunSliceOptions {
  kinds: readonly JobKind[];
  handler: SliceHandler;
  /** This job or none. @default the one whose turn it is */
  jobId?: string;
  /** How long to go on: `first` shares its isolate with a request and stops sooner. @default "full" */
  budget?: "first" | "full" | BudgetLimits;
  /** The database's address. @default from the environment */
  url?: string;
  /** Fields for every log line, such as the function and the request id. */
  log?: LogFields;
  /** How long a handler may take to stop once it should, before its session is closed, in milliseconds. @default 2000 */
  graceMs?: number;
}

/** `idle`: there was nothing to claim. `lost`: another slice has the job, or it has ended otherwise. */
export type SliceEnd = "idle" | "done" | "continued" | "failed" | "retried" | "cancelled" | "lost";

export async function runSlice(options: RunSliceOptions): Promise<SliceEnd> {
  const connection = connect(options.url ? { url: options.url } : {});
  try {
    const claim = await claimJob(connection.work, {
      kinds: options.kinds,
      worker: connection.worker,
      ...(options.jobId ? { jobId: options.jobId } : {}),
    });
    if (!claim) return "idle";
    return await runClaim(claim, connection, options);
  } finally {
    await connection.end();
  }
}

async function runClaim(claim: Claim, connection: Connection, options: RunSliceOptions): Promise<SliceEnd> {
  const log = { ...options.log, job_id: claim.jobId, org_id: claim.job.org_id, kind: claim.job.kind };
  const budget = startBudget(limitsOf(claim, options.budget ?? "full"));
  const lease = keepLease(claim, connection, { graceMs: options.graceMs ?? 2000 });
  logEvent("info", "slice_started", { ...log, attempt: claim.job.attempt });
  let end: SliceEnd;
  let failure: unknown = null;
  let afterwards: (() => Promise<void>) | undefined;
  try {
    const outcome = await work(makeSlice(claim, connection, { budget, lease }), options.handler);
    if (outcome.outcome === "fail") failure = outcome.error;
    if (outcome.outcome === "done") afterwards = outcome.afterwards;
    end = await settle(outcome, claim, { connection, lease });
  } catch (error) {
    failure = error;
    end = await giveUp(error, claim, { connection, lease });
  } finally {
    await lease.stop();
  }
  const failed = end === "failed" || end === "retried" || end === "lost" && lease.ended === null;
  logEvent(failed ? "error" : "info", `slice_${end}`, {
    ...log,
    duration_ms: Math.round(budget.elapsedMs()),
    cpu_ms: Math.round(budget.cpu.usedMs),
    ...(failed ? safeErrorFields(failure) : {}),
  });
  if (end === "done") await afterwards?.().catch(() => {});
  return end;
}

function limitsOf({ settings }: Claim, budget: "first" | "full" | BudgetLimits): BudgetLimits {
  const isolateCpuMs = settings.slice_cpu_ms;
  if (budget === "first") {
    return { cpuMs: settings.first_slice_cpu_ms, wallMs: settings.first_slice_wall_ms, isolateCpuMs };
  }
  if (budget === "full") return { cpuMs: isolateCpuMs, wallMs: settings.slice_wall_ms, isolateCpuMs };
  return budget;
}

function makeSlice(claim: Claim, connection: Connection, parts: { budget: Budget; lease: KeptLease }): Slice {
  const { budget, lease } = parts;
  const measure = measureProgress();
  const saveCursor = (transaction: Transaction, cursor: Cursor) =>
    checkpoint(transaction, claim, { cursor: cursor as Json, progress: lease.takeProgress() });
  return {
    job: claim.job,
    params: claim.job.params,
    cursor: claim.cursor,
    token: claim.token,
    file: claim.file,
    settings: claim.settings,
    sql: connection.work,
    second: connection.second,
    signal: lease.signal,
    cpu: budget.cpu,
    async asOwner<T>(
      run: (transaction: Transaction) => Promise<T>,
      { cursor }: AsOwnerOptions = {},
    ): Promise<T> {
      const kept: { value?: T } = {};
      await connection.work.begin(async (transaction) => {
        await becomeOwner(transaction, claim);
        kept.value = await run(transaction);
        await becomeWorker(transaction);
        if (cursor !== undefined) await saveCursor(transaction, cursor);
      });
      return kept.value as T;
    },
    checkpoint: saveCursor,
    progress(report) {
      const progress = measure(report);
      lease.noteProgress(progress);
      return progress;
    },
    ifCutOff: (cursor) => lease.ifCutOff(cursor as Json),
    shouldStop: () => lease.signal.aborted || budget.isSpent(),
  };
}

async function work(slice: Slice, handler: SliceHandler): Promise<SliceOutcome> {
  const { file } = slice;
  if (file && !await slice.asOwner((transaction) => isSameFile(transaction, file))) {
    throw new LongshoreError(
      "file_changed",
      `Cannot go on with the file "${file.path}": it was changed or removed since the job was started`,
    );
  }
  return await handler(slice);
}

interface Holding {
  connection: Connection;
  lease: KeptLease;
}

/** The job's next state, by what the handler returned. */
async function settle(
  outcome: SliceOutcome,
  claim: Claim,
  { connection, lease }: Holding,
): Promise<SliceEnd> {
  const progress = lease.lastProgress;
  if (progress) await heartbeat(connection.work, claim, { progress });
  if (outcome.outcome === "done") {
    await finishJob(connection.work, claim, { result: outcome.result });
    return "done";
  }
  if (outcome.outcome === "fail") {
    await connection.work.begin(async (transaction) => {
      await checkpoint(transaction, claim, { cursor: outcome.cursor as Json });
      await failJob(transaction, claim, { error: toJobError(outcome.error, null), retry: false });
    });
    return "failed";
  }
  await releaseJob(connection.work, claim, outcome);
  return "continued";
}

/** The job's next state, by what the handler threw. */
async function giveUp(error: unknown, claim: Claim, { connection, lease }: Holding): Promise<SliceEnd> {
  const reason = lease.ended ?? stopReason(error);
  if (reason === "released") return "continued";
  if (reason === "lost" || reason === "cancelled") return reason;

  const final = reason === "owner_gone" || error instanceof LongshoreError;
  try {
    await failJob(connection.work, claim, { error: toJobError(error, reason), retry: !final });
  } catch (second) {
    // Whatever went wrong, the job is found again: its lease has been lost already, or runs out.
    return stopReason(second) === "cancelled" ? "cancelled" : "lost";
  }
  return final || claim.job.attempt >= claim.job.max_attempts ? "failed" : "retried";
}

function toJobError(error: unknown, reason: "owner_gone" | null): JobError {
  if (reason === "owner_gone") {
    return {
      code: "not_allowed",
      message: "Cannot go on with the job: the person who started it has no account any more",
      details: null,
    };
  }
  if (error instanceof LongshoreError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  return {
    code: "internal",
    message: "Cannot finish the job: an unexpected error stopped it",
    details: null,
  };
}
