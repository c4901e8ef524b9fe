/**
 * The engine's verbs: the only place that calls its SQL. In: a session and the lease at hand. Out: what the database
 * answers. States, limits and times are the database's business; a stale lease comes back as an error that
 * `stopReason()` tells from others.
 */
import postgres from "postgres";
import type { Sql, Transaction } from "./connect.ts";
import type { Job, JobError, JobKind, JobProgress, PinnedFile, Settings } from "./job.ts";

/** Plain JSON, as it is stored. */
export type Json = postgres.JSONValue;

/** What every write of a slice shows: the job and the token that nobody had before. */
export interface Lease {
  jobId: string;
  token: string;
}

export interface Claim extends Lease {
  job: Job;
  /** Where to go on; null at the start. */
  cursor: Json | null;
  file: PinnedFile | null;
  settings: Settings;
}

export interface ClaimOptions {
  kinds: readonly JobKind[];
  /** The application name of the session that will do the work. */
  worker: string;
  /** This job or none. @default the one whose turn it is */
  jobId?: string;
}

/** Takes a lease on a queued job; null when nothing may start now. */
export async function claimJob(sql: Sql, options: ClaimOptions): Promise<Claim | null> {
  const kinds = `{${options.kinds.join(",")}}`;
  const [row] = await sql<{ token: string; job: Job; cursor: Json; file: PinnedFile; settings: Settings }[]>`
    select token, job, cursor, file, settings
    from jobs_private.claim_job(${kinds}::text[], ${options.worker}, ${options.jobId ?? null}::uuid)`;
  return row ? { jobId: row.job.id, ...row } : null;
}

/** Throws unless the lease holds at this moment. */
export async function checkLease(sql: Sql, lease: Lease): Promise<void> {
  await sql`select jobs_private.check_lease(${lease.jobId}, ${lease.token})`;
}

export interface HeartbeatOptions {
  progress?: JobProgress | null;
}

/** Renews the lease beside the work. */
export async function heartbeat(sql: Sql, lease: Lease, options: HeartbeatOptions = {}): Promise<void> {
  const progress = jsonOrNull(sql, options.progress);
  await sql`select jobs_private.heartbeat(${lease.jobId}, ${lease.token}, ${progress})`;
}

export interface CheckpointOptions {
  /** Where to go on after this chunk. */
  cursor: Json;
  progress?: JobProgress | null;
}

/** The last statement of a chunk's transaction: its rows and its cursor are committed together, or neither is. */
export async function checkpoint(sql: Transaction, lease: Lease, options: CheckpointOptions): Promise<void> {
  const progress = jsonOrNull(sql, options.progress);
  await sql`
    select jobs_private.checkpoint(${lease.jobId}, ${lease.token}, ${sql.json(options.cursor)}, ${progress})`;
}

export interface ReleaseOptions {
  /** @default the cursor of the last checkpoint */
  cursor?: Json;
  /** Not to be claimed before, in milliseconds. @default 0 */
  delayMs?: number;
  /** The isolate ends in the middle of the work: `cursor` counts only where no checkpoint came before. @default false */
  cutOff?: boolean;
}

/**
 * Gives the job back, to be gone on with. No attempt is used up, but a job that is cut off again and again without a cursor
 * fails.
 */
export async function releaseJob(sql: Sql, lease: Lease, options: ReleaseOptions = {}): Promise<void> {
  const cursor = jsonOrNull(sql, options.cursor);
  const delay = `${options.delayMs ?? 0} milliseconds`;
  const cutOff = options.cutOff ?? false;
  await sql`
    select jobs_private.release_job(${lease.jobId}, ${lease.token}, ${cursor}, ${delay}::interval, ${cutOff})`;
}

export interface FinishOptions {
  result: Json;
}

/** Ends the job with its result. */
export async function finishJob(sql: Sql, lease: Lease, options: FinishOptions): Promise<void> {
  await sql`select jobs_private.finish_job(${lease.jobId}, ${lease.token}, ${sql.json(options.result)})`;
}

export interface FailOptions {
  error: JobError;
  /** Try again, later each time, while attempts are left. */
  retry: boolean;
}

/** Ends the attempt, or the job, with an error. */
export async function failJob(sql: Sql | Transaction, lease: Lease, options: FailOptions): Promise<void> {
  const error = sql.json(options.error as unknown as Json);
  await sql`select jobs_private.fail_job(${lease.jobId}, ${lease.token}, ${error}, ${options.retry})`;
}

/** Makes the transaction the owner's from here on, with the rights the owner has now. */
export async function becomeOwner(transaction: Transaction, lease: Lease): Promise<void> {
  await transaction`
    select
      set_config('request.jwt.claims', jobs_private.owner_claims(${lease.jobId})::text, true),
      set_config('role', 'authenticated', true)`;
}

/** Makes the transaction the slice's own again. Deferred rules are settled before, while it is still the owner's. */
export async function becomeWorker(transaction: Transaction): Promise<void> {
  await transaction.unsafe("set constraints all immediate; set local role none").simple();
}

/** Whether the pinned file is still the same and the person whose transaction this is may still read it. */
export async function isSameFile(transaction: Transaction, file: PinnedFile): Promise<boolean> {
  const [row] = await transaction<{ same: boolean }[]>`
    select exists (
      select from storage.objects o
      where o.id = ${file.id}
        and o.bucket_id = ${file.bucket}
        and o.name = ${file.path}
        and o.version is not distinct from ${file.version}
        and o.metadata ->> 'eTag' is not distinct from ${file.etag}
    ) as same`;
  return row?.same ?? false;
}

/** The settings as they are now. */
export async function readSettings(sql: Sql): Promise<Settings> {
  const [row] = await sql<{ settings: Settings }[]>`select jobs_private.read_settings() as settings`;
  if (!row) throw new Error("Cannot read the settings: found no row");
  return row.settings;
}

/** What a tick did, and the files whose time has come. */
export interface Tick {
  dispatched: number;
  recovered: number;
  expired: number;
  purged: number;
  files: { job_id: string; bucket: string; path: string }[];
}

export async function tick(sql: Sql): Promise<Tick> {
  const [row] = await sql<{ tick: Tick }[]>`select jobs_private.tick() as tick`;
  if (!row) throw new Error("Cannot tick: found no answer");
  return row.tick;
}

/** Notes that the files of these jobs are gone. */
export async function filesDeleted(sql: Sql, jobIds: readonly string[]): Promise<void> {
  await sql`select jobs_private.files_deleted(${`{${jobIds.join(",")}}`}::uuid[])`;
}

/** Why an error means that a slice must stop: null for any other error. */
export function stopReason(error: unknown): "lost" | "cancelled" | "owner_gone" | null {
  if (!(error instanceof postgres.PostgresError)) return null;
  if (error.code === "LS001") return "lost";
  if (error.code === "LS002") return "cancelled";
  if (error.code === "LS003") return "owner_gone";
  return null;
}

function jsonOrNull(sql: Sql | Transaction, value: unknown): postgres.Parameter | null {
  return value === undefined || value === null ? null : sql.json(value as Json);
}
