/**
 * The routes that delete. In: names. Out: the rows that went. Policies decide, on SELECT and DELETE; the bytes go once
 * the rows are gone for good.
 */
import { readJson } from "./read_json.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { refused } from "./storage_error.ts";

const MOST_REMOVED = 1000;

/** `DELETE /object/B {prefixes}`: what is missing or hidden is left out of the answer. */
export async function removeObjects(parts: StorageParts, call: StorageCall): Promise<Response> {
  const { prefixes } = await readJson(call.request);
  if (!Array.isArray(prefixes) || prefixes.length === 0) {
    throw refused.invalidRequest("body/prefixes must NOT have fewer than 1 items");
  }
  if (prefixes.length > MOST_REMOVED) {
    throw refused.invalidRequest(`Bulk object requests are limited to ${MOST_REMOVED} objects per request.`);
  }
  const rows = await parts.database.as(call, (sql) =>
    sql<{ version: string | null }[]>`
      delete from storage.objects
      where bucket_id = ${call.bucket} and name = any(${prefixes.map(String)})
      returning id, name, bucket_id, owner, owner_id, version, created_at, updated_at, last_accessed_at, metadata,
        user_metadata`);
  await parts.files.remove(rows.map((row) => row.version));
  return Response.json(rows);
}

/** `DELETE /object/B/P`: what the caller may not delete is an error here. */
export async function removeObject(parts: StorageParts, call: StorageCall): Promise<Response> {
  const [known] = await parts.database.sql`
    select from storage.objects where bucket_id = ${call.bucket} and name = ${call.name}`;
  if (!known) throw refused.noSuchKey();
  const [row] = await parts.database.as(call, (sql) =>
    sql<{ version: string | null }[]>`
      delete from storage.objects where bucket_id = ${call.bucket} and name = ${call.name} returning *`);
  if (!row) throw refused.accessDenied("Access denied");
  await parts.files.remove([row.version]);
  return Response.json({ message: "Successfully deleted" });
}
