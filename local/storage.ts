/**
 * A stand-in for Supabase Storage: the HTTP interface that supabase-js and TUS clients use, over the real tables, with
 * the caller's role and claims set for every transaction, so that policies decide as they do hosted. Bytes are files
 * on disk and stream both ways.
 *
 * Left out: image transformations, the S3 protocol, webhooks, analytics and vector buckets, object versions, the CDN.
 * Different: buckets are emptied at once, and links are signed with a key of their own that cannot be rolled.
 */
import type { Keys } from "./keys.ts";
import type { Service, ServiceCall } from "./service.ts";
import {
  createBucket,
  deleteBucket,
  emptyBucket,
  getBucket,
  listBuckets,
  updateBucket,
} from "./storage/buckets.ts";
import { copyObject, moveObject } from "./storage/copy_object.ts";
import {
  download,
  downloadPublic,
  downloadSigned,
  head,
  headPublic,
  info,
  infoPublic,
} from "./storage/download.ts";
import { listObjects, listObjectsV2 } from "./storage/list_objects.ts";
import { openDatabase } from "./storage/open_database.ts";
import { openFiles } from "./storage/open_files.ts";
import { openUrlSigner } from "./storage/open_url_signer.ts";
import { removeObject, removeObjects } from "./storage/remove_objects.ts";
import { openResumableUploads, type ResumableUploads } from "./storage/resumable_upload.ts";
import { signDownload, signDownloads, signUpload } from "./storage/sign_urls.ts";
import type { StorageCall, StorageParts } from "./storage/storage_call.ts";
import { refused, StorageError, toStorageError } from "./storage/storage_error.ts";
import { upload, uploadSigned } from "./storage/upload.ts";

export interface StorageOptions {
  /** The database, as its superuser; the server logs in there as `supabase_storage_admin`. */
  adminUrl: string;
  keys: Pick<Keys, "serviceRoleToken">;
  /** Where the bytes are kept; made when missing. */
  dir: string;
  /** Bytes of one object, whatever its bucket says. @default 5 GB */
  fileSizeLimit?: number;
}

type Answer = (parts: StorageParts, call: StorageCall) => Promise<Response>;

interface Route {
  method: string;
  pattern: RegExp;
  operation: string;
  /** Whether a call without a valid token is answered too. */
  open: boolean;
  answer: Answer;
}

export async function startStorage(options: StorageOptions): Promise<Service> {
  await Deno.mkdir(options.dir, { recursive: true });
  const parts: StorageParts = {
    database: openDatabase(options.adminUrl, { serviceToken: options.keys.serviceRoleToken }),
    files: await openFiles(options.dir),
    urlSigner: await openUrlSigner(options.dir),
    fileSizeLimit: options.fileSizeLimit ?? 5e9,
  };
  const routes = makeRoutes(await openResumableUploads(options.dir));

  return {
    async handle(call) {
      try {
        return await answer(routes, parts, call);
      } catch (error) {
        const refusal = toStorageError(error);
        if (refusal.status === 500) console.error(refusal.cause ?? refusal);
        return refusal.toResponse();
      }
    },
    stop: () => parts.database.stop(),
  };
}

async function answer(routes: Route[], parts: StorageParts, call: ServiceCall): Promise<Response> {
  const path = call.path.length > 1
    ? call.path.replace(/^(\/bucket|\/upload\/resumable)\/$/, "$1")
    : call.path;
  for (const route of routes) {
    const match = route.method === call.request.method && route.pattern.exec(path);
    if (!match) continue;
    if (!route.open && !call.claims) {
      throw refused.accessDenied(call.token ? "signature verification failed" : "Invalid Compact JWS");
    }
    const { bucket = "", name = "" } = match.groups ?? {};
    return await route.answer(parts, {
      ...call,
      operation: route.operation,
      bucket: decode(bucket),
      name: decode(name),
    });
  }
  throw new StorageError("InvalidRequest", `Route ${call.request.method}:${call.path} not found`, {
    status: 404,
    httpStatus: 404,
    error: "Not Found",
  });
}

/** The first route that fits wins, so "/object/sign/…" is never an object in a bucket named "sign". */
function makeRoutes(resumable: ResumableUploads): Route[] {
  const signed = { open: true };
  return [
    route("GET /bucket", "storage.bucket.list", listBuckets),
    route("POST /bucket", "storage.bucket.create", createBucket),
    route("POST /bucket/:bucket/empty", "storage.bucket.empty", emptyBucket),
    route("GET /bucket/:bucket", "storage.bucket.get", getBucket),
    route("PUT /bucket/:bucket", "storage.bucket.update", updateBucket),
    route("DELETE /bucket/:bucket", "storage.bucket.delete", deleteBucket),

    route("POST /object/list/:bucket", "storage.object.list", listObjects),
    route("POST /object/list-v2/:bucket", "storage.object.list_v2", listObjectsV2),
    route("POST /object/copy", "storage.object.copy", copyObject),
    route("POST /object/move", "storage.object.move", moveObject),

    route("POST /object/sign/:bucket/*", "storage.object.sign", signDownload),
    route("POST /object/sign/:bucket", "storage.object.sign_many", signDownloads),
    route("GET /object/sign/:bucket/*", "storage.object.get_signed", downloadSigned, signed),
    route("POST /object/upload/sign/:bucket/*", "storage.object.sign_upload_url", signUpload),
    route("PUT /object/upload/sign/:bucket/*", "storage.object.upload_signed", uploadSigned, signed),

    route("GET /object/info/public/:bucket/*", "storage.object.info_public", infoPublic, { open: true }),
    route("GET /object/info/authenticated/:bucket/*", "object.get_authenticated_info", info),
    route("GET /object/info/:bucket/*", "object.get_authenticated_info", info, { open: true }),
    route("GET /object/public/:bucket/*", "storage.object.get_public", downloadPublic, { open: true }),
    route("HEAD /object/public/:bucket/*", "storage.object.info_public", headPublic, { open: true }),
    route("GET /object/authenticated/:bucket/*", "storage.object.get_authenticated", download),
    route("HEAD /object/authenticated/:bucket/*", "object.head_authenticated_info", head),

    route("POST /object/:bucket/*", "storage.object.upload", upload),
    route("PUT /object/:bucket/*", "storage.object.upload_update", upload),
    route("GET /object/:bucket/*", "storage.object.get_authenticated", download, { open: true }),
    route("HEAD /object/:bucket/*", "object.head_authenticated_info", head, { open: true }),
    route("DELETE /object/:bucket/*", "storage.object.delete", removeObject),
    route("DELETE /object/:bucket", "storage.object.delete_many", removeObjects),

    route("OPTIONS /upload/resumable", "storage.tus.options", resumable.options, { open: true }),
    route("POST /upload/resumable/sign", "storage.tus.upload.create_signed", resumable.create, signed),
    route("HEAD /upload/resumable/sign/*", "storage.tus.upload.get_signed", resumable.head, signed),
    route("PATCH /upload/resumable/sign/*", "storage.tus.upload.part_signed", resumable.patch, signed),
    route("DELETE /upload/resumable/sign/*", "storage.tus.upload.delete_signed", resumable.remove, signed),
    route("POST /upload/resumable", "storage.tus.upload.create", resumable.create),
    route("HEAD /upload/resumable/*", "storage.tus.upload.get", resumable.head),
    route("PATCH /upload/resumable/*", "storage.tus.upload.part", resumable.patch),
    route("DELETE /upload/resumable/*", "storage.tus.upload.delete", resumable.remove),

    route("GET /status", "storage.health", () => Promise.resolve(new Response(null)), { open: true }),
  ];
}

/** `place` is a method and a path; ":bucket" stands for one part of it, "*" for the rest. */
function route(place: string, operation: string, answer: Answer, options = { open: false }): Route {
  const [method = "", path = ""] = place.split(" ");
  const pattern = path.replace(":bucket", "(?<bucket>[^/]+)").replace("*", "(?<name>.*)");
  return { method, pattern: new RegExp(`^${pattern}$`), operation, answer, ...options };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refused.invalidKey(part);
  }
}
