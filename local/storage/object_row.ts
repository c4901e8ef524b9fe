/**
 * Rows of `storage.objects`, written in one way. In: a transaction and what the row is to say. The statements are the
 * server's own, because their kind decides what policies ask for: a plain INSERT needs the right to INSERT alone, an
 * upsert SELECT and UPDATE too.
 */
import type { Transaction } from "./open_database.ts";
import { refused } from "./storage_error.ts";

export interface ObjectName {
  bucket: string;
  name: string;
}

export interface ObjectRow extends ObjectName {
  version: string;
  /** The uploader: the token's subject. */
  owner: string | undefined;
  /** What the server knows of the bytes. */
  metadata: object;
  /** What the uploader said. @default null */
  userMetadata: Record<string, unknown> | undefined;
}

/** The `metadata` of a row whose bytes are there. */
export interface ObjectMetadata {
  eTag: string;
  size: number;
  mimetype: string;
  cacheControl: string;
  lastModified: string;
  contentLength: number;
  httpStatusCode: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export function toMetadata(
  written: { size: number; eTag: string },
  file: { mimeType: string; cacheControl: string },
): ObjectMetadata {
  return {
    eTag: written.eTag,
    size: written.size,
    mimetype: file.mimeType,
    cacheControl: file.cacheControl,
    lastModified: new Date().toISOString(),
    contentLength: written.size,
    httpStatusCode: 200,
  };
}

export async function insertObject(sql: Transaction, row: ObjectRow): Promise<void> {
  try {
    await sql`insert into storage.objects ${columnsOf(sql, row)}`;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "23505") {
      throw refused.duplicate("KeyAlreadyExists");
    }
    throw error;
  }
}

/** Returns the id of the row. */
export async function upsertObject(sql: Transaction, row: ObjectRow): Promise<string> {
  const [written] = await sql<{ id: string }[]>`
    insert into storage.objects ${columnsOf(sql, row)}
    on conflict (name, bucket_id) do update set
      metadata = excluded.metadata,
      version = excluded.version,
      user_metadata = coalesce(excluded.user_metadata, objects.user_metadata),
      owner = coalesce(excluded.owner, objects.owner),
      owner_id = coalesce(excluded.owner_id, objects.owner_id)
    returning *`;
  if (!written) {
    throw new Error(`Cannot write the row of "${row.name}": found no row afterwards, expected one`);
  }
  return written.id;
}

/** Waits until nobody else writes this name, and returns the version that is there, if any. */
export async function lockObject(sql: Transaction, object: ObjectName): Promise<string | null> {
  await sql`select set_config('lock_timeout', '5s', true)`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${object.bucket}/${object.name}`}, 0))`;
  const [row] = await sql<{ version: string | null }[]>`
    select version from storage.objects
    where bucket_id = ${object.bucket} and name = ${object.name}
    for update`;
  return row?.version ?? null;
}

/** The deprecated column `owner` takes only UUIDs. */
export function ownerUuid(owner: string | undefined): string | null {
  return owner !== undefined && UUID.test(owner) ? owner : null;
}

function columnsOf(sql: Transaction, row: ObjectRow) {
  return sql`(bucket_id, name, owner, owner_id, version, metadata, user_metadata) values (
    ${row.bucket}, ${row.name}, ${ownerUuid(row.owner)}, ${row.owner ?? null}, ${row.version},
    ${JSON.stringify(row.metadata)}::text::jsonb,
    ${row.userMetadata ? JSON.stringify(row.userMetadata) : null}::text::jsonb)`;
}
