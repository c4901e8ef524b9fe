/**
 * What a handler gets to work with for one slice of a job: the job, its database session, and the ways to write as its
 * owner, to say how far it is and to know when to stop. A handler knows no lease and no state of a job.
 */
import type { LongshoreError } from "../errors.ts";
import type { Sql, Transaction } from "./connect.ts";
import type { Cpu } from "./budget.ts";
import type { Json } from "./engine.ts";
import type { Job, JobProgress, PinnedFile, Settings } from "./job.ts";
import type { ProgressReport } from "./measure_progress.ts";

/** A plain object that JSON can hold; interfaces fit, which TypeScript keeps from `Json`. */
export type Cursor = object;

export interface AsOwnerOptions {
  /** Commit this cursor with what was written, or neither. @default no checkpoint */
  cursor?: Cursor;
}

export interface Slice {
  readonly job: Job;
  readonly params: Record<string, unknown>;
  /** Where the last checkpoint left off; null at the start. Plain JSON that the handler wrote. */
  readonly cursor: Json | null;
  /** Stale once another slice has the job; for SQL functions that check it themselves. */
  readonly token: string;
  /** The pinned input; it has been looked up as the owner and is still the same. */
  readonly file: PinnedFile | null;
  readonly settings: Settings;
  /** The work session, as `longshore_worker`. */
  readonly sql: Sql;
  /** A second one, for work that goes on at the same time; opened by its first query, if ever. */
  readonly second: Sql;
  /** Aborted when the job is cancelled, the lease is lost or the isolate is about to end. */
  readonly signal: AbortSignal;
  /** Counts synchronous work towards the budget. */
  readonly cpu: Cpu;
  /**
   * Runs `work` in a transaction as the owner, with the owner's rights of this moment; deferred rules are settled before
   * it commits. Throws `not_allowed` when the owner's account is gone.
   */
  asOwner<T>(work: (transaction: Transaction) => Promise<T>, options?: AsOwnerOptions): Promise<T>;
  /** The last statement of a transaction of the handler's own: commits the cursor with it, or neither. */
  checkpoint(transaction: Transaction, cursor: Cursor): Promise<void>;
  /** Says how far the job is; shown at most twice a second, at the latest with the next change of state. */
  progress(report: ProgressReport): JobProgress;
  /**
   * Where the next slice goes on should the isolate end before this one has made a checkpoint. Without it the next
   * slice has as much before it as this one had, and after some of those in a row the job fails.
   */
  ifCutOff(cursor: Cursor): void;
  /** Whether to come to an end now and return `continue`. */
  shouldStop(): boolean;
}

/**
 * How a slice ends; anything thrown is a failure: final for a `LongshoreError`, tried again for anything else. `afterwards`
 * is run when the job has ended, and may fail or be cut off: nobody waits for it or hears of it. `fail` is
 * final too, and says where the job goes on should its owner have it tried again: both are known together, or neither.
 */
export type SliceOutcome =
  | { outcome: "done"; result: Json; afterwards?: () => Promise<void> }
  | { outcome: "continue"; cursor?: Json; delayMs?: number }
  | { outcome: "fail"; error: LongshoreError; cursor: Cursor };

export type SliceHandler = (slice: Slice) => Promise<SliceOutcome>;
