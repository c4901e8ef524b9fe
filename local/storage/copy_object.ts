/**
 * Copy and move, within a bucket or between two. In: where from and where to. Out: the object at its new place, with
 * a new version. The caller needs SELECT on the source and INSERT on the copy, or UPDATE to move.
 */
import { checkObjectName } from "./check_names.ts";
import { lockObject, type ObjectName, ownerUuid, upsertObject } from "./object_row.ts";
import { type Transaction, tryPermission } from "./open_database.ts";
import { optionalText, readJson, requiredText } from "./read_json.ts";
import { decodeUserMetadata } from "./read_upload.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { refused } from "./storage_error.ts";
import { checkCanUpload } from "./store_object.ts";

interface Source {
  id: string;
  version: string;
  metadata: Record<string, unknown> | null;
  user_metadata: Record<string, unknown> | null;
}

/** `POST /object/copy` */
export async function copyObject(parts: StorageParts, call: StorageCall): Promise<Response> {
  const body = await readJson(call.request);
  const { from, to } = readPlaces(body);
  const owner = call.claims?.sub;
  const source = await parts.database.as(call, (sql) => findSource(sql, from));

  const keepsMetadata = body["copyMetadata"] !== false;
  const metadata = { ...source.metadata, ...(keepsMetadata ? {} : readMetadata(body["metadata"])) };
  const target = {
    ...to,
    owner,
    upsert: call.request.headers.get("x-upsert") === "true",
    userMetadata: keepsMetadata
      ? source.user_metadata ?? undefined
      : decodeUserMetadata(call.request.headers.get("x-metadata")),
    as: parts.database.as,
  };
  await checkCanUpload(call, target, metadata);

  const version = crypto.randomUUID();
  await parts.files.copy(source.version, version);
  try {
    const row = { ...target, version, metadata: { ...metadata, lastModified: new Date().toISOString() } };
    const { before, written } = await parts.database.asService(call, async (sql) => {
      const before = await lockObject(sql, to);
      const id = await upsertObject(sql, row);
      const [written] = await sql`select * from storage.objects where id = ${id}`;
      return { before, written };
    });
    await parts.files.remove([before]);
    return Response.json({ ...written, Id: written?.["id"], Key: `${to.bucket}/${to.name}` });
  } catch (error) {
    await parts.files.remove([version]);
    throw error;
  }
}

/** `POST /object/move` */
export async function moveObject(parts: StorageParts, call: StorageCall): Promise<Response> {
  const { from, to } = readPlaces(await readJson(call.request));
  const owner = call.claims?.sub;
  const version = crypto.randomUUID();
  await tryPermission((work) => parts.database.as(call, work), async (sql) => {
    await findSource(sql, from);
    const moved = await sql`
      update storage.objects set name = ${to.name}, bucket_id = ${to.bucket}, version = ${version},
        owner = coalesce(${ownerUuid(owner)}, owner), owner_id = coalesce(${owner ?? null}, owner_id)
      where bucket_id = ${from.bucket} and name = ${from.name}
      returning *`;
    if (moved.length === 0) throw refused.noSuchKey();
  });

  const source = await parts.database.asService(call, (sql) => findSource(sql, from));
  const message = "Successfully moved";
  if (from.bucket === to.bucket && from.name === to.name) return Response.json({ message, Id: source.id });
  await parts.files.copy(source.version, version);
  try {
    const before = await parts.database.asService(call, async (sql) => {
      await lockObject(sql, to);
      // Once more, now that nobody can come between: an upload may have replaced the bytes.
      const { version: before } = await findSource(sql, from, { lock: true });
      if (before !== source.version) throw refused.noSuchKey();
      await sql`
        update storage.objects set name = ${to.name}, bucket_id = ${to.bucket}, version = ${version},
          owner = coalesce(${ownerUuid(owner)}, owner), owner_id = coalesce(${owner ?? null}, owner_id),
          metadata = metadata || jsonb_build_object('lastModified', ${new Date().toISOString()}::text)
        where bucket_id = ${from.bucket} and name = ${from.name}`;
      return before;
    });
    await parts.files.remove([before]);
    return Response.json({ message, Id: source.id, Key: to.name });
  } catch (error) {
    await parts.files.remove([version]);
    throw error;
  }
}

async function findSource(
  sql: Transaction,
  from: ObjectName,
  options: { lock?: boolean } = {},
): Promise<Source> {
  const [source] = await sql<Source[]>`
    select id, version, metadata, user_metadata from storage.objects
    where bucket_id = ${from.bucket} and name = ${from.name}
    ${options.lock ? sql`for update` : sql``}`;
  if (!source) throw refused.noSuchKey();
  return source;
}

function readPlaces(body: Record<string, unknown>): { from: ObjectName; to: ObjectName } {
  const bucket = requiredText(body, "bucketId");
  const from = { bucket, name: requiredText(body, "sourceKey") };
  const to = {
    bucket: optionalText(body, "destinationBucket") || bucket,
    name: requiredText(body, "destinationKey"),
  };
  checkObjectName(to.name);
  return { from, to };
}

function readMetadata(value: unknown): Record<string, unknown> {
  const given: Record<string, unknown> = typeof value === "object" && value !== null ? { ...value } : {};
  const { cacheControl, mimetype } = given;
  return {
    ...(cacheControl === undefined ? {} : { cacheControl }),
    ...(mimetype === undefined ? {} : { mimetype }),
  };
}
