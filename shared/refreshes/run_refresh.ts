/**
 * The life of a refresh: begin a run, refresh, or say why not. In: a slice of a job of the kind `refresh`. Out: as of when
 * the view's numbers are. The refresh is one statement, which cannot be divided: it ends within the time that an isolate
 * has, or fails, and the view then shows what it showed before.
 */
import { LongshoreError } from "../errors.ts";
import type { Slice, SliceOutcome } from "../jobs/slice.ts";
import { describeFailure } from "./describe_failure.ts";
import { beginRefresh, failRefresh, type RefreshOutcome, refreshView, type Run } from "./views.ts";

/** Another refresh of the same view may still be ending; readers do not wait behind this wait. */
const LOCK_MS = 30_000;
/** How often progress is reckoned; the lease decides how often it is shown. */
const BEAT_MS = 200;

export async function runRefresh(slice: Slice): Promise<SliceOutcome> {
  slice.progress(progressOf(0, null));
  const run = await beginRefresh(slice);
  const stopTelling = tellProgress(slice, run);
  let outcome: RefreshOutcome;
  try {
    outcome = await refreshView(slice, run, {
      statementMs: slice.settings.refresh_seconds * 1000,
      lockMs: LOCK_MS,
    });
  } catch (error) {
    stopTelling();
    throw await noteFailure(slice, run, error);
  }
  stopTelling();
  const seconds = secondsOf(outcome.duration_ms);
  slice.progress({ phase: "refreshed", done: seconds, total: seconds, unit: "seconds", rows: 0 });
  return { outcome: "done", result: { ...outcome } };
}

/** The statement says nothing until it is done: what is told is the time it has taken, of the time it took last. */
function tellProgress(slice: Slice, { expectedMs }: Run): () => void {
  const began = performance.now();
  const timer = setInterval(() => slice.progress(progressOf(performance.now() - began, expectedMs)), BEAT_MS);
  slice.progress(progressOf(0, expectedMs));
  return () => clearInterval(timer);
}

function progressOf(elapsedMs: number, expectedMs: number | null) {
  const total = expectedMs === null || elapsedMs > expectedMs ? null : secondsOf(expectedMs);
  return { phase: "refreshing", done: secondsOf(elapsedMs), total, unit: "seconds", rows: 0 };
}

function secondsOf(ms: number): number {
  return Math.round(ms / 100) / 10;
}

/** Writes the failure down where the lease still allows it, and returns what the slice is to throw. */
async function noteFailure(slice: Slice, run: Run, thrown: unknown): Promise<unknown> {
  if (slice.signal.aborted) return thrown;
  const { error, passing } = describeFailure(thrown, run);
  const final = !passing || slice.job.attempt >= slice.job.max_attempts;
  try {
    await failRefresh(slice, run, { error, final });
  } catch {
    // The lease is lost or the database is gone: whoever has the job next finds a run without an end.
    return thrown;
  }
  return final
    ? new LongshoreError("refresh_failed", error.message, { cause: thrown, details: error.details ?? {} })
    : thrown;
}
