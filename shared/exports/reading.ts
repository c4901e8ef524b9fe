/**
 * The export's verbs in the database: the only place that calls its SQL. In: a session and the lease. Out: blocks of the
 * file as bytes, without a string in between. A cancelled slice does not wait for a statement to end.
 */
import { Buffer } from "node:buffer";
import type { Json, Lease } from "../jobs/engine.ts";
import type { Sql, Transaction } from "../jobs/connect.ts";
import type { ExportPlan } from "./make_plan.ts";
import type { ExportFormat } from "./report.ts";

export interface Block {
  bytes: Uint8Array;
  rows: number;
}

export interface Staged {
  pieces: number;
  rows: number;
  bytes: number;
  /** Rows that the next piece should have. */
  nextCount: number;
  ended: boolean;
}

/** A statement that ends early when the slice has to stop. */
interface Stoppable {
  signal: AbortSignal;
}

export async function openExport(transaction: Transaction, lease: Lease, plan: ExportPlan): Promise<void> {
  await transaction`
    select jobs_private.open_export(${lease.jobId}, ${transaction.json(plan as unknown as Json)})`;
}

export interface FetchOptions extends Stoppable {
  format: ExportFormat;
  /** Rows at most. */
  count: number;
}

/** The next block; null at the end. */
export async function fetchBlock(
  transaction: Transaction,
  { format, count, signal }: FetchOptions,
): Promise<Block | null> {
  // Without parameters, which would have to be described first: queries then follow each other without a wait.
  const call = `jobs_private.fetch_export('${format}', ${count})`;
  const query = transaction.unsafe(`select content, row_count from ${call}`).raw();
  return readBlock(await stoppable(query, signal));
}

export interface StageOptions extends FetchOptions {
  /** Of the first piece. */
  place: number;
  /** Of a piece, about. */
  bytes: number;
  /** To come back after so long. */
  ms: number;
}

/** Keeps what is left of the rows for later slices, some of it a call. */
export async function stageExport(
  transaction: Transaction,
  lease: Lease,
  { format, place, count, bytes, ms, signal }: StageOptions,
): Promise<Staged> {
  const query = transaction<Staged[]>`
    select piece_count as pieces, row_count::float8 as rows, byte_count::float8 as bytes, next_count as "nextCount", ended
    from jobs_private.stage_export(
      ${lease.jobId}, ${lease.token}, ${format}, ${place}, ${count}, ${bytes}, ${ms})`;
  const [staged] = await stoppable(query, signal);
  if (!staged) throw new Error("Cannot stage an export: found no answer");
  return staged;
}

/** One of the pieces that were kept; null where there is none. */
export async function readPiece(sql: Sql, lease: Lease, place: number): Promise<Block | null> {
  return readBlock(
    await sql`
      select content, row_count from jobs_private.export_piece(${lease.jobId}, ${lease.token}, ${place})`
      .raw(),
  );
}

/** Keeps the bytes that the next slice begins with. */
export async function keepTail(transaction: Transaction, lease: Lease, tail: Uint8Array): Promise<void> {
  const text = Buffer.from(tail).toString("base64");
  await transaction`select jobs_private.keep_export_tail(${lease.jobId}, ${lease.token}, ${text})`;
}

export async function readTail(sql: Sql, lease: Lease): Promise<Uint8Array> {
  const [row] = await sql<{ tail: string | null }[]>`
    select jobs_private.export_tail(${lease.jobId}, ${lease.token}) as tail`;
  return new Uint8Array(Buffer.from(row?.tail ?? "", "base64"));
}

/** Throws away what was kept. */
export async function forgetExport(transaction: Transaction, lease: Lease): Promise<void> {
  await transaction`select jobs_private.forget_export(${lease.jobId}, ${lease.token})`;
}

function readBlock(rows: readonly unknown[]): Block | null {
  const [content, count] = (rows[0] ?? []) as (Uint8Array | null | undefined)[];
  if (!content || !count) return null;
  return { bytes: content, rows: Number(new TextDecoder().decode(count)) };
}

interface Cancellable<T> extends PromiseLike<T> {
  cancel(): void;
}

async function stoppable<T>(query: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  const cancel = () => (query as Cancellable<T>).cancel();
  signal.throwIfAborted();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await query;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
