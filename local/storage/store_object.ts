/**
 * The life of an upload: the caller's right is tried and rolled back, the bytes are stored under a new version, then
 * the row is written as service_role and the version before it goes. In: a name, a file, who uploads it. Out: the
 * object's id. An upload that fails at any point leaves neither bytes nor row.
 */
import { checkObjectName } from "./check_names.ts";
import {
  insertObject,
  lockObject,
  type ObjectMetadata,
  type ObjectRow,
  toMetadata,
  upsertObject,
} from "./object_row.ts";
import { type Database, tryPermission } from "./open_database.ts";
import type { IncomingFile } from "./read_upload.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";

export interface UploadTarget extends Omit<ObjectRow, "metadata" | "version"> {
  /** Whether an object of that name may be replaced. */
  upsert: boolean;
  /** Whose right counts: the caller's, or service_role's for a signed URL. */
  as: Database["as"];
}

export async function storeObject(
  parts: StorageParts,
  call: StorageCall,
  target: UploadTarget & { file: IncomingFile },
): Promise<string> {
  const { file } = target;
  checkObjectName(target.name);
  await checkCanUpload(call, target, { mimetype: file.mimeType, contentLength: file.declaredLength });

  const version = crypto.randomUUID();
  const written = await parts.files.write(version, file.bytes, { limit: file.limit });
  const metadata = toMetadata({ size: written.size, eTag: `"${written.md5}"` }, file);
  return await completeUpload(parts, call, {
    ...target,
    version,
    metadata,
    userMetadata: target.userMetadata ?? {},
  });
}

/** Throws what stops this upload; nothing is written. `declared` is what is known before the bytes are there. */
export async function checkCanUpload(
  call: StorageCall,
  target: UploadTarget,
  declared: object,
): Promise<void> {
  const row = { ...target, version: "1", metadata: declared };
  await tryPermission(
    (work) => target.as(call, work),
    (sql) => target.upsert ? upsertObject(sql, row) : insertObject(sql, row),
  );
}

/** Writes the row of bytes that are there, as service_role; where that fails, the bytes go. */
export async function completeUpload(
  parts: StorageParts,
  call: StorageCall,
  row: ObjectRow & { metadata: ObjectMetadata },
): Promise<string> {
  try {
    const { id, before } = await parts.database.asService(call, async (sql) => {
      const before = await lockObject(sql, row);
      return { id: await upsertObject(sql, row), before };
    });
    await parts.files.remove([before]);
    return id;
  } catch (error) {
    await parts.files.remove([row.version]);
    throw error;
  }
}
