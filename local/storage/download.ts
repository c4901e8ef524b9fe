/**
 * The routes that read one object: its bytes, whole or a range, or what is known of it. In: a name and whose right
 * counts. Out: a streamed response. Whatever the caller may not see is not there.
 */
import { checkBucketName, checkObjectName } from "./check_names.ts";
import { findBucket } from "./find_bucket.ts";
import { parseRange } from "./parse_range.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { refused } from "./storage_error.ts";

interface StoredObject {
  id: string;
  name: string;
  bucket_id: string;
  version: string | null;
  metadata:
    | { eTag?: string; size?: number; mimetype?: string; cacheControl?: string; lastModified?: string }
    | null;
  user_metadata: Record<string, unknown> | null;
  created_at: Date;
  updated_at: Date;
}

/** `GET /object/B/P` and `/object/authenticated/B/P` */
export async function download(parts: StorageParts, call: StorageCall): Promise<Response> {
  return await sendBytes(parts, call, { object: await findReadable(parts, call) });
}

/** `GET /object/public/B/P` */
export async function downloadPublic(parts: StorageParts, call: StorageCall): Promise<Response> {
  return await sendBytes(parts, call, { object: await findPublic(parts, call) });
}

/** `GET /object/sign/B/P?token=` */
export async function downloadSigned(parts: StorageParts, call: StorageCall): Promise<Response> {
  const token = call.url.searchParams.get("token") ?? "";
  const url = `${call.bucket}/${call.name}`;
  const { exp } = await parts.urlSigner.verify(token, { url, scope: "download" });
  return await sendBytes(parts, call, { object: await findAny(parts, call), expires: new Date(exp * 1000) });
}

/** `HEAD` of the same paths */
export async function head(parts: StorageParts, call: StorageCall): Promise<Response> {
  return sendHeaders(await findReadable(parts, call));
}

export async function headPublic(parts: StorageParts, call: StorageCall): Promise<Response> {
  return sendHeaders(await findPublic(parts, call));
}

/** `GET /object/info/B/P` and `/object/info/authenticated/B/P` */
export async function info(parts: StorageParts, call: StorageCall): Promise<Response> {
  return sendInfo(await findReadable(parts, call));
}

/** `GET /object/info/public/B/P` */
export async function infoPublic(parts: StorageParts, call: StorageCall): Promise<Response> {
  return sendInfo(await findPublic(parts, call));
}

/** As the caller, except in a public bucket, where no policy is asked. */
async function findReadable(parts: StorageParts, call: StorageCall): Promise<StoredObject> {
  checkBucketName(call.bucket);
  const bucket = await findBucket(parts, call.bucket);
  if (bucket.public) return await findAny(parts, call);
  if (!call.claims) throw refused.noSuchBucket();
  checkObjectName(call.name);
  const [object] = await parts.database.as(call, (sql) =>
    sql<StoredObject[]>`
      select id, name, bucket_id, version, metadata, user_metadata, created_at, updated_at
      from storage.objects
      where name = ${call.name} and bucket_id = ${call.bucket}`);
  if (!object) throw refused.noSuchKey();
  return object;
}

async function findPublic(parts: StorageParts, call: StorageCall): Promise<StoredObject> {
  const bucket = await findBucket(parts, call.bucket);
  if (!bucket.public) throw refused.noSuchBucket();
  return await findAny(parts, call);
}

/** Whoever asks: the bucket is public, or a signature vouches for the caller. */
async function findAny(parts: StorageParts, call: StorageCall): Promise<StoredObject> {
  checkObjectName(call.name);
  const [object] = await parts.database.sql<StoredObject[]>`
    select id, name, bucket_id, version, metadata, user_metadata, created_at, updated_at
    from storage.objects
    where name = ${call.name} and bucket_id = ${call.bucket}`;
  if (!object) throw refused.noSuchKey();
  return object;
}

async function sendBytes(
  parts: StorageParts,
  call: StorageCall,
  found: { object: StoredObject; expires?: Date },
): Promise<Response> {
  const { object } = found;
  const headers = objectHeaders(object);
  if (found.expires) {
    headers.delete("cache-control");
    headers.set("expires", found.expires.toUTCString());
  }
  if (isUnchanged(call.request.headers, object)) return new Response(null, { status: 304, headers });

  const size = object.metadata?.size ?? 0;
  const range = call.request.headers.get("range");
  const part = range === null ? { from: 0, size } : parseRange(range, size);
  const body = object.version ? await parts.files.read(object.version, part) : null;
  if (!body) throw refused.noSuchBytes();
  headers.set("content-length", String(part.size));
  if (range !== null) headers.set("content-range", `bytes ${part.from}-${part.from + part.size - 1}/${size}`);
  const name = call.url.searchParams.get("download");
  if (name !== null) headers.set("content-disposition", disposition(name));
  return new Response(body, { status: range === null ? 200 : 206, headers });
}

function sendHeaders(object: StoredObject): Response {
  const headers = objectHeaders(object);
  headers.set("content-length", String(object.metadata?.size ?? 0));
  return new Response(null, { headers });
}

function sendInfo(object: StoredObject): Response {
  const { metadata } = object;
  const body = {
    id: object.id,
    name: object.name,
    version: object.version,
    bucket_id: object.bucket_id,
    size: metadata?.size ?? null,
    content_type: metadata?.mimetype ?? null,
    cache_control: metadata?.cacheControl ?? null,
    etag: metadata?.eTag ?? null,
    metadata: object.user_metadata,
    last_modified: object.updated_at,
    created_at: object.created_at,
  };
  const headers = objectHeaders(object);
  headers.set("content-type", "application/json");
  return new Response(JSON.stringify(body), { headers });
}

function objectHeaders({ metadata }: StoredObject): Headers {
  const type = metadata?.mimetype ?? "application/octet-stream";
  const headers = new Headers({
    "accept-ranges": "bytes",
    // As hosted: no page of a stranger's runs on the project's own address.
    "content-type": type.includes("text/html") ? "text/plain" : type,
    "x-robots-tag": "none",
  });
  if (metadata?.eTag) headers.set("etag", metadata.eTag);
  if (metadata?.lastModified) headers.set("last-modified", new Date(metadata.lastModified).toUTCString());
  if (metadata?.cacheControl) headers.set("cache-control", metadata.cacheControl);
  return headers;
}

function isUnchanged(asked: Headers, { metadata }: StoredObject): boolean {
  const tags = asked.get("if-none-match");
  if (tags !== null) {
    return tags.split(",").some((tag) =>
      tag.trim() === "*" || tag.trim().replace(/^W\//, "") === metadata?.eTag
    );
  }
  const since = asked.get("if-modified-since");
  if (since === null || !metadata?.lastModified) return false;
  // The header knows whole seconds only.
  return Math.floor(Date.parse(metadata.lastModified) / 1000) * 1000 <= Date.parse(since);
}

function disposition(name: string): string {
  const encoded = encodeURIComponent(name);
  return name === "" ? "attachment;" : `attachment; filename=${encoded}; filename*=UTF-8''${encoded}`;
}
