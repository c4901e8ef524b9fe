/**
 * The database's verbs of a refresh: the only place that calls its SQL. In: a session and the lease at hand. Out: what
 * the database answers; what it refuses for good comes as a `LongshoreError`.
 */
import postgres from "postgres";
import { isErrorCode, LongshoreError } from "../errors.ts";
import type { Json, Transaction } from "../jobs/mod.ts";
import type { JobError } from "../jobs/job.ts";
import type { Slice } from "../jobs/slice.ts";

/** A run of a view's refresh that has begun. */
export interface Run {
  refreshId: number;
  view: string;
  /** As of when the view's numbers are; null where it has none yet. */
  refreshedAt: string | null;
  /** How long the last one took, in milliseconds; null before the first. */
  expectedMs: number | null;
}

/** The same as the database says it. */
interface BegunRun {
  refresh_id: number;
  view: string;
  refreshed_at: string | null;
  expected_ms: number | null;
}

/** The result of a refresh job. */
export interface RefreshOutcome {
  view: string;
  /** The moment whose data the view shows from now on. */
  refreshed_at: string;
  duration_ms: number;
  /** Whether readers went on reading meanwhile. */
  concurrent: boolean;
  /** Jobs that had waited for it and ended with it. */
  jobs_served: number;
}

export async function beginRefresh({ sql, job, token }: Slice): Promise<Run> {
  const [row] = await sql<{ run: BegunRun }[]>`
    select jobs_private.begin_refresh(${job.id}, ${token}) as run`.catch(throwRefusal);
  if (!row) throw new Error("Cannot begin a refresh: found no answer");
  const { refresh_id, view, refreshed_at, expected_ms } = row.run;
  return { refreshId: refresh_id, view, refreshedAt: refreshed_at, expectedMs: expected_ms };
}

export interface Timeouts {
  /** Milliseconds. */
  statementMs: number;
  /** Milliseconds. */
  lockMs: number;
}

export async function refreshView(
  { sql, job, token }: Slice,
  { refreshId }: Run,
  { statementMs, lockMs }: Timeouts,
): Promise<RefreshOutcome> {
  return await sql.begin(async (transaction: Transaction) => {
    // A function cannot set the timeout of the statement that calls it.
    await transaction`
      select
        set_config('statement_timeout', ${String(statementMs)}, true),
        set_config('lock_timeout', ${String(lockMs)}, true)`;
    const [row] = await transaction<{ outcome: RefreshOutcome }[]>`
      select jobs_private.refresh_view(${job.id}, ${token}, ${refreshId}) as outcome`;
    if (!row) throw new Error("Cannot refresh: found no answer");
    return row.outcome;
  });
}

export interface FailedRun {
  error: JobError;
  /** Nobody tries again: the jobs that waited for this run fail too. */
  final: boolean;
}

export async function failRefresh(
  { sql, job, token }: Slice,
  { refreshId }: Run,
  { error, final }: FailedRun,
): Promise<void> {
  const json = sql.json(error as unknown as Json);
  await sql`select jobs_private.fail_refresh(${job.id}, ${token}, ${refreshId}, ${json}, ${final})`;
}

/** What `longshore_private.raise_error()` raises, as the contract's error. */
function throwRefusal(error: unknown): never {
  if (error instanceof postgres.PostgresError && error.code === "PGRST") {
    const { code, message, details } = JSON.parse(error.message);
    if (isErrorCode(code)) {
      throw new LongshoreError(code, message, {
        cause: error,
        ...(details ? { details: JSON.parse(details) } : {}),
      });
    }
  }
  throw error;
}
