/**
 * The routes of buckets. In: names and limits. Out: rows, or a message. Policies on `storage.buckets` decide; without
 * one, only service_role gets anywhere. Emptying is done at once, where hosted Supabase queues it.
 */
import { checkBucketName } from "./check_names.ts";
import { ownerUuid } from "./object_row.ts";
import type { Transaction } from "./open_database.ts";
import { optionalText, readJson, requiredText } from "./read_json.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { refused } from "./storage_error.ts";

const MIME_TYPE = /^([a-zA-Z0-9\-+.]+)\/([a-zA-Z0-9\-+.]+)(;\s*charset=[a-zA-Z0-9-]+)?$|\*$/;
const SORT_COLUMNS = ["id", "name", "created_at", "updated_at"];

/** `GET /bucket` */
export async function listBuckets(parts: StorageParts, call: StorageCall): Promise<Response> {
  const query = call.url.searchParams;
  const column = query.get("sortColumn") ?? "name";
  if (!SORT_COLUMNS.includes(column)) {
    throw refused.invalidRequest("querystring/sortColumn must be equal to one of the allowed values");
  }
  const limit = query.get("limit");
  const rows = await parts.database.as(call, (sql) =>
    sql`
      select ${bucketColumns(sql)} from storage.buckets
      where position(lower(${query.get("search") ?? ""}) in lower(name)) > 0
      order by ${sql(column)} ${query.get("sortOrder") === "desc" ? sql`desc` : sql`asc`}
      limit ${limit === null ? null : Number(limit)} offset ${Number(query.get("offset") ?? 0)}`);
  return Response.json(rows);
}

/** `GET /bucket/B` */
export async function getBucket(parts: StorageParts, call: StorageCall): Promise<Response> {
  const [bucket] = await parts.database.as(
    call,
    (sql) => sql`select ${bucketColumns(sql)} from storage.buckets where id = ${call.bucket}`,
  );
  if (!bucket) throw refused.noSuchBucket();
  return Response.json(bucket);
}

/** `POST /bucket` */
export async function createBucket(parts: StorageParts, call: StorageCall): Promise<Response> {
  const body = await readJson(call.request);
  const name = requiredText(body, "name");
  if (name !== name.trim()) throw refused.invalidBucketName();
  checkBucketName(name);
  const owner = call.claims?.sub;
  const limits = readLimits(parts, body);
  try {
    await parts.database.as(call, (sql) =>
      sql`
        insert into storage.buckets (id, name, owner, owner_id, public, file_size_limit, allowed_mime_types)
        values (${optionalText(body, "id") || name}, ${name}, ${ownerUuid(owner)}, ${owner ?? null},
          ${limits.public ?? false}, ${limits.file_size_limit ?? null}, ${
        limits.allowed_mime_types ?? null
      })`);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "23505") {
      throw refused.duplicate("BucketAlreadyExists");
    }
    throw error;
  }
  return Response.json({ name });
}

/** `PUT /bucket/B`: what the body leaves out stays as it is. */
export async function updateBucket(parts: StorageParts, call: StorageCall): Promise<Response> {
  checkBucketName(call.bucket);
  const limits = readLimits(parts, await readJson(call.request));
  if (Object.keys(limits).length === 0) throw refused.invalidRequest("No content provided");
  const updated = await parts.database.as(
    call,
    (sql) => sql`update storage.buckets set ${sql(limits)} where id = ${call.bucket} returning id`,
  );
  if (updated.length === 0) throw refused.noSuchBucket();
  return Response.json({ message: "Successfully updated" });
}

/** `POST /bucket/B/empty` */
export async function emptyBucket(parts: StorageParts, call: StorageCall): Promise<Response> {
  const seen = await parts.database.as(
    call,
    (sql) => sql`select from storage.buckets where id = ${call.bucket}`,
  );
  if (seen.length === 0) throw refused.noSuchBucket();
  const mayEmpty = await parts.database.as(
    call,
    (sql) => sql`select from storage.objects where bucket_id = ${call.bucket} limit 1`,
  );
  if (mayEmpty.length > 0) {
    const rows = await parts.database.asService(call, (sql) =>
      sql<{ version: string | null }[]>`
        delete from storage.objects where bucket_id = ${call.bucket} returning version`);
    await parts.files.remove(rows.map((row) => row.version));
  }
  return Response.json({ message: "Empty bucket has been queued. Completion may take up to an hour." });
}

/** `DELETE /bucket/B` */
export async function deleteBucket(parts: StorageParts, call: StorageCall): Promise<Response> {
  const [bucket] = await parts.database.sql<{ full: boolean }[]>`
    select exists (select from storage.objects where bucket_id = buckets.id) as full
    from storage.buckets where id = ${call.bucket}`;
  if (!bucket) throw refused.noSuchBucket();
  if (bucket.full) throw refused.bucketNotEmpty();
  const deleted = await parts.database.as(
    call,
    (sql) => sql`delete from storage.buckets where id = ${call.bucket} returning id`,
  );
  if (deleted.length === 0) throw refused.noSuchBucket();
  return Response.json({ message: "Successfully deleted" });
}

function bucketColumns(sql: Transaction) {
  return sql`id, name, owner, public, type, created_at, updated_at, file_size_limit::float8 as file_size_limit,
    allowed_mime_types`;
}

/** What a body says about a bucket; a field is missing where the body does not name it. */
interface BucketLimits {
  public?: boolean;
  file_size_limit?: number | null;
  allowed_mime_types?: string[] | null;
}

function readLimits(parts: StorageParts, body: Record<string, unknown>): BucketLimits {
  const limits: BucketLimits = {};
  if (typeof body["public"] === "boolean") limits.public = body["public"];
  const size = body["file_size_limit"];
  if (size !== undefined) limits.file_size_limit = size === null ? null : parseSize(size);
  if ((limits.file_size_limit ?? 0) > parts.fileSizeLimit) throw refused.tooLarge();
  const types = body["allowed_mime_types"];
  if (types === null) limits.allowed_mime_types = null;
  if (Array.isArray(types)) {
    limits.allowed_mime_types = types.map(String).filter((type) => type !== "");
    const unknown = limits.allowed_mime_types.find((type) => type.length > 1000 || !MIME_TYPE.test(type));
    if (unknown !== undefined) throw refused.mimeType(unknown);
  }
  return limits;
}

/** Bytes, or a text such as "20MB", whose units are powers of ten. */
function parseSize(value: unknown): number {
  const units: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  const [, amount, unit] = /^([0-9]+(?:\.[0-9]+)?)(gb|mb|kb|b)$/i.exec(String(value)) ?? [];
  const factor = unit && units[unit.toLowerCase()];
  if (!amount || !factor) {
    throw refused.invalidRequest("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B");
  }
  return Math.round(Number(Number(amount).toPrecision(3)) * factor);
}
