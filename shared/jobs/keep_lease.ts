/**
 * Keeps a lease alive beside the work. In: a claim and its connection. Out: a signal that tells when to stop, and why.
 * It renews the lease, brings progress to the database and notices within a beat that the job was cancelled or taken
 * over; before the isolate ends it gives the job back. It changes nothing else.
 */
import type { Connection } from "./connect.ts";
import { checkLease, type Claim, heartbeat, type Json, releaseJob, stopReason } from "./engine.ts";
import type { JobProgress } from "./job.ts";

export interface KeepLeaseOptions {
  /** How long the work may go on after the signal before its session is closed, in milliseconds. */
  graceMs: number;
}

/** `released`: the isolate is about to end, and the job is queued again. */
export type LeaseEnd = "lost" | "cancelled" | "released";

export interface KeptLease {
  readonly signal: AbortSignal;
  /** Null while the lease holds. */
  readonly ended: LeaseEnd | null;
  /** Notes progress for the next beat or the next checkpoint, whichever comes first. */
  noteProgress(progress: JobProgress): void;
  /** The progress that no beat has carried yet, for a checkpoint to carry. */
  takeProgress(): JobProgress | null;
  /** The progress that was noted last: a beat that carries it may still be lost. */
  readonly lastProgress: JobProgress | null;
  /** Notes the cursor that the job is given back with, should the isolate end before the next checkpoint. */
  ifCutOff(cursor: Json): void;
  /** Ends the beats; the lease itself is left as it is. */
  stop(): Promise<void>;
}

export function keepLease(claim: Claim, connection: Connection, options: KeepLeaseOptions): KeptLease {
  const { progress_interval_ms: beatMs, heartbeat_seconds: heartbeatSeconds } = claim.settings;
  const stopping = new AbortController();
  const ending = new AbortController();
  let ended: LeaseEnd | null = null;
  let last: JobProgress | null = null;
  let pending: JobProgress | null = null;
  // The database keeps progress back that comes too soon after the last; said once more a beat later, it is shown.
  let again: JobProgress | null = null;
  let cutOffCursor: Json | undefined;
  let released: Promise<void> = Promise.resolve();
  let grace: ReturnType<typeof setTimeout> | undefined;

  const takeProgress = () => {
    const progress = pending;
    pending = null;
    again = progress ?? again;
    return progress;
  };
  const end = (reason: LeaseEnd) => {
    if (ended || stopping.signal.aborted) return;
    ended = reason;
    ending.abort(new DOMException(`The lease has ended: ${reason}`, "AbortError"));
    // A statement that nobody waits for any more would go on with its locks.
    grace = setTimeout(() => {
      connection.work.end({ timeout: 0 });
      connection.second.end({ timeout: 0 });
    }, options.graceMs);
  };
  const onUnload = () => {
    if (ended || stopping.signal.aborted) return;
    end("released");
    // Should this fail, the lease runs out and the tick finds the job.
    const cursor = cutOffCursor === undefined ? {} : { cursor: cutOffCursor };
    released = releaseJob(connection.beside, claim, { ...cursor, cutOff: true }).catch(() => {});
  };
  const beat = async (): Promise<void> => {
    let renewedAt = performance.now();
    while (!ended && await pause(beatMs, stopping.signal)) {
      const fresh = takeProgress();
      const progress = fresh ?? again;
      if (!fresh) again = null;
      try {
        if (progress || performance.now() - renewedAt >= heartbeatSeconds * 1000) {
          await heartbeat(connection.beside, claim, { progress });
          renewedAt = performance.now();
        } else {
          await checkLease(connection.beside, claim);
        }
      } catch (error) {
        const reason = stopReason(error);
        if (reason === "lost" || reason === "cancelled") return end(reason);
        // The database may answer the next beat; whether the lease still holds then is for it to say.
        pending ??= progress;
      }
    }
  };

  globalThis.addEventListener("beforeunload", onUnload);
  const beating = beat();
  return {
    signal: ending.signal,
    get ended() {
      return ended;
    },
    noteProgress(progress) {
      last = pending = progress;
    },
    takeProgress,
    get lastProgress() {
      return last;
    },
    ifCutOff(cursor) {
      cutOffCursor = cursor;
    },
    async stop() {
      stopping.abort();
      clearTimeout(grace);
      globalThis.removeEventListener("beforeunload", onUnload);
      await Promise.all([beating, released]);
    },
  };
}

/** Resolves with true after `ms`, with false as soon as the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const onAbort = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
