/**
 * The routes that take a whole file in one request. In: a form or bare bytes, and a token: the caller's own, or a
 * signed URL's, with which the signer's right counts. Out: the object's id and key.
 */
import { findBucket } from "./find_bucket.ts";
import { type IncomingFile, readUpload } from "./read_upload.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { storeObject } from "./store_object.ts";

/** `POST /object/B/P`, and `PUT`, which always replaces. */
export async function upload(parts: StorageParts, call: StorageCall): Promise<Response> {
  const { method, headers } = call.request;
  const file = await receive(parts, call);
  const id = await storeObject(parts, call, {
    bucket: call.bucket,
    name: call.name,
    owner: call.claims?.sub,
    upsert: method === "PUT" || headers.get("x-upsert") === "true",
    userMetadata: file.userMetadata,
    as: parts.database.as,
    file,
  });
  return Response.json({ Id: id, Key: `${call.bucket}/${call.name}` });
}

/** `PUT /object/upload/sign/B/P?token=` */
export async function uploadSigned(parts: StorageParts, call: StorageCall): Promise<Response> {
  const key = `${call.bucket}/${call.name}`;
  const token = call.url.searchParams.get("token") ?? "";
  const signed = await parts.urlSigner.verify(token, { url: key, scope: "upload" });
  const file = await receive(parts, call);
  await storeObject(parts, call, {
    bucket: call.bucket,
    name: call.name,
    owner: signed.owner,
    upsert: signed.upsert === true,
    userMetadata: file.userMetadata,
    as: parts.database.asService,
    file,
  });
  return Response.json({ Key: key });
}

async function receive(parts: StorageParts, call: StorageCall): Promise<IncomingFile> {
  const bucket = await findBucket(parts, call.bucket);
  // Dashboards mark an empty folder with an empty file, whatever the bucket takes.
  const placeholder = call.name.endsWith(".emptyFolderPlaceholder");
  return await readUpload(call.request, {
    sizeLimit: placeholder ? 0 : bucket.sizeLimit,
    allowedMimeTypes: placeholder ? null : bucket.allowedMimeTypes,
  });
}
