/**
 * Uploads in pieces, by TUS 1.0 (creation, creation-with-upload, creation-defer-length, termination, expiration). In:
 * POST, HEAD, PATCH and DELETE. Out: where the upload is. Every request but HEAD tries the caller's right to upload,
 * so a right withdrawn half way stops it there. Refusals are plain text with their own status, as TUS clients want.
 */
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { createHash } from "node:crypto";
import { checkBucketName, checkObjectName } from "./check_names.ts";
import { findBucket } from "./find_bucket.ts";
import { toMetadata } from "./object_row.ts";
import { openPartialUploads, type PartialUpload, UPLOAD_LIFETIME_MS } from "./open_partial_uploads.ts";
import { checkMimeType, parseObject } from "./read_upload.ts";
import { requestBytes } from "./request_bytes.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { refused, StorageError, toStorageError } from "./storage_error.ts";
import { checkCanUpload, completeUpload, type UploadTarget } from "./store_object.ts";

type Answer = (parts: StorageParts, call: StorageCall) => Promise<Response>;

export interface ResumableUploads {
  options: Answer;
  create: Answer;
  head: Answer;
  patch: Answer;
  remove: Answer;
}

const EXTENSIONS = "creation,creation-with-upload,creation-defer-length,termination,expiration";

export async function openResumableUploads(dir: string): Promise<ResumableUploads> {
  const partials = await openPartialUploads(dir);
  // Who writes to an upload now: a client that lost its connection comes back while the old request still hangs.
  const writers = new Map<string, { abort: AbortController; ended: Promise<void> }>();

  async function create(parts: StorageParts, call: StorageCall): Promise<Response> {
    const { headers } = call.request;
    const metadata = decodeMetadata(headers.get("upload-metadata"));
    const upload: PartialUpload = {
      bucket: metadata["bucketName"] ?? "",
      name: metadata["objectName"] ?? "",
      version: crypto.randomUUID(),
      length: readLength(headers),
      metadata,
      createdAt: Date.now(),
    };
    checkBucketName(upload.bucket);
    checkObjectName(upload.name);
    const target = await authorize(parts, call, upload);
    const bucket = await findBucket(parts, upload.bucket);
    if ((upload.length ?? 0) > bucket.sizeLimit) throw tusError(413, "Maximum size exceeded");
    if (metadata["contentType"]) checkMimeType(metadata["contentType"], bucket.allowedMimeTypes);

    await partials.save(upload);
    const id = encodeBase64Url(`${upload.bucket}/${upload.name}/${upload.version}`);
    // `path` is what follows the service's prefix, and the id follows both.
    const answer = new Headers({
      location: `${call.url.origin}${call.url.pathname.replace(/\/$/, "")}/${id}`,
    });
    answer.set("upload-expires", new Date(upload.createdAt + UPLOAD_LIFETIME_MS).toUTCString());
    const withBytes = headers.get("content-type") === "application/offset+octet-stream";
    if (!withBytes && upload.length !== 0) return tusResponse(201, answer);
    await receive(parts, call, { upload, target, offset: 0, answer });
    return tusResponse(201, answer);
  }

  async function patch(parts: StorageParts, call: StorageCall): Promise<Response> {
    const { headers } = call.request;
    if (headers.get("content-type") !== "application/offset+octet-stream") {
      throw tusError(403, "Content-Type header required");
    }
    await takeOver(writers, call.name);
    const { upload, offset } = await find(call);
    const target = await authorize(parts, call, upload);
    if (Number(headers.get("upload-offset") ?? NaN) !== offset) throw tusError(409, "Upload-Offset conflict");
    if (upload.length === null && headers.has("upload-length")) {
      const length = readLength(headers) ?? 0;
      if (length < offset) throw tusError(400, "Upload-Length or Upload-Defer-Length header required");
      const { sizeLimit } = await findBucket(parts, upload.bucket);
      if (length > sizeLimit) throw tusError(413, "Maximum size exceeded");
      upload.length = length;
      await partials.save(upload);
    }
    const answer = new Headers();
    await receive(parts, call, { upload, target, offset, answer });
    return tusResponse(204, answer);
  }

  async function head(parts: StorageParts, call: StorageCall): Promise<Response> {
    await takeOver(writers, call.name);
    const { upload, offset } = await find(call);
    if (isSigned(call)) await authorize(parts, call, upload);
    const answer = new Headers({ "cache-control": "no-store", "upload-offset": String(offset) });
    if (upload.length === null) answer.set("upload-defer-length", "1");
    else answer.set("upload-length", String(upload.length));
    answer.set("upload-metadata", encodeMetadata(upload.metadata));
    answer.set("upload-expires", new Date(upload.createdAt + UPLOAD_LIFETIME_MS).toUTCString());
    return tusResponse(200, answer);
  }

  async function remove(parts: StorageParts, call: StorageCall): Promise<Response> {
    await takeOver(writers, call.name);
    const { upload } = await find(call);
    await authorize(parts, call, upload);
    await partials.remove(upload.version);
    return tusResponse(204, new Headers());
  }

  async function find(call: StorageCall): Promise<{ upload: PartialUpload; offset: number }> {
    const id = decodeId(call.name);
    const found = await partials.find(id.slice(id.lastIndexOf("/") + 1));
    // The same path as the one that was handed out, or somebody made it up.
    if (!found || `${found.upload.bucket}/${found.upload.name}/${found.upload.version}` !== id) {
      throw tusError(404, "The file for this url was not found");
    }
    return found;
  }

  /** Takes the request's bytes, and finishes the upload with the last of them. */
  async function receive(
    parts: StorageParts,
    call: StorageCall,
    state: { upload: PartialUpload; target: UploadTarget; offset: number; answer: Headers },
  ): Promise<void> {
    const { upload, target, answer } = state;
    const limit = upload.length ?? (await findBucket(parts, upload.bucket)).sizeLimit;
    const writer = { abort: new AbortController(), ...Promise.withResolvers<void>() };
    writers.set(call.name, { abort: writer.abort, ended: writer.promise });
    let offset: number;
    try {
      const bytes = requestBytes(call.request, { signal: writer.abort.signal });
      offset = await partials.append(upload, bytes, { limit });
    } finally {
      writers.delete(call.name);
      writer.resolve();
    }
    answer.set("upload-offset", String(offset));
    if (offset !== upload.length) return;

    await partials.finish(upload, parts.files);
    const seconds = upload.metadata["cacheControl"] ?? "";
    const metadata = toMetadata({
      size: offset,
      // As a multipart object's, it stands for this upload and not for the bytes.
      eTag: `"${createHash("md5").update(upload.version).digest("hex")}-1"`,
    }, {
      mimeType: upload.metadata["contentType"] || "application/octet-stream",
      cacheControl: /^-?\d+$/.test(seconds) ? `max-age=${seconds}` : "no-cache",
    });
    await completeUpload(parts, call, { ...target, version: upload.version, metadata });
    answer.set("tus-complete", "1");
  }

  return {
    options: () => {
      const answer = new Headers({ "tus-version": "1.0.0", "tus-extension": EXTENSIONS });
      return Promise.resolve(tusResponse(204, answer));
    },
    create: asTus(create),
    head: asTus(head),
    patch: asTus(patch),
    remove: asTus(remove),
  };
}

/** Who uploads, tried for real and rolled back: the caller, or for a signed upload whoever signed. */
async function authorize(
  parts: StorageParts,
  call: StorageCall,
  upload: PartialUpload,
): Promise<UploadTarget> {
  const { headers } = call.request;
  const target: UploadTarget = {
    bucket: upload.bucket,
    name: upload.name,
    owner: call.claims?.sub,
    upsert: headers.get("x-upsert") === "true",
    userMetadata: parseObject(upload.metadata["metadata"] ?? ""),
    as: parts.database.as,
  };
  if (isSigned(call)) {
    const signature = headers.get("x-signature");
    if (!signature) throw refused.invalidSignature("Missing x-signature header");
    const url = `${upload.bucket}/${upload.name}`;
    const { owner, upsert } = await parts.urlSigner.verify(signature, { url, scope: "upload" });
    return { ...target, owner, upsert: upsert === true, as: parts.database.asService };
  }
  await checkCanUpload(call, target, {
    mimetype: upload.metadata["contentType"],
    contentLength: upload.length ?? undefined,
  });
  return target;
}

function isSigned(call: StorageCall): boolean {
  return call.operation.endsWith("_signed");
}

/** Ends the request that writes to this upload, if any, and waits until its bytes are in place. */
async function takeOver(
  writers: Map<string, { abort: AbortController; ended: Promise<void> }>,
  id: string,
): Promise<void> {
  const writer = writers.get(id);
  writer?.abort.abort();
  await writer?.ended;
}

function asTus(answer: Answer): Answer {
  return async (parts, call) => {
    if (call.request.headers.get("tus-resumable") !== "1.0.0") {
      return tusText(412, "Tus-Resumable Required", { "tus-version": "1.0.0" });
    }
    try {
      return await answer(parts, call);
    } catch (error) {
      const refusal = toStorageError(error);
      if (refusal.status === 500) console.error(refusal.cause ?? refusal);
      return tusText(refusal.status, refusal.message);
    }
  };
}

function tusError(status: number, message: string): StorageError {
  return new StorageError("TusError", message, { status });
}

function tusResponse(status: number, headers: Headers): Response {
  headers.set("tus-resumable", "1.0.0");
  return new Response(null, { status, headers });
}

function tusText(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "tus-resumable": "1.0.0", ...headers } });
}

function readLength(headers: Headers): number | null {
  if (headers.get("upload-defer-length") === "1" && !headers.has("upload-length")) return null;
  const length = Number(headers.get("upload-length") ?? NaN);
  if (!Number.isSafeInteger(length) || length < 0) {
    throw tusError(400, "Upload-Length or Upload-Defer-Length header required");
  }
  return length;
}

/** `key base64, key base64`; a key may stand alone. */
function decodeMetadata(header: string | null): Record<string, string> {
  const metadata: Record<string, string> = {};
  try {
    for (const pair of (header ?? "").split(",")) {
      const [key = "", value = ""] = pair.trim().split(" ");
      if (key !== "") metadata[key] = new TextDecoder().decode(Uint8Array.fromBase64(value));
    }
  } catch (cause) {
    throw refused.invalidRequest("Invalid Upload-Metadata header", cause);
  }
  return metadata;
}

function encodeMetadata(metadata: Record<string, string>): string {
  const encode = (text: string) => new TextEncoder().encode(text).toBase64();
  return Object.entries(metadata).map(([key, value]) => `${key} ${encode(value)}`).join(",");
}

function decodeId(id: string): string {
  try {
    return new TextDecoder().decode(decodeBase64Url(id));
  } catch {
    throw tusError(404, "The file for this url was not found");
  }
}
