/**
 * Signed URLs: links that stand for a right the signer has now. In: names and a lifetime. Out: paths with a token,
 * which the client puts behind the server's address.
 */
import { checkObjectName } from "./check_names.ts";
import { readJson } from "./read_json.ts";
import { decodeUserMetadata } from "./read_upload.ts";
import type { StorageCall, StorageParts } from "./storage_call.ts";
import { refused } from "./storage_error.ts";
import { checkCanUpload } from "./store_object.ts";

/** As hosted: a client cannot choose. */
const UPLOAD_URL_SECONDS = 2 * 3600;
const MOST_PATHS = 1000;

/** `POST /object/sign/B/P` */
export async function signDownload(parts: StorageParts, call: StorageCall): Promise<Response> {
  const { expiresIn } = await readJson(call.request);
  const seconds = lifetime(expiresIn);
  checkObjectName(call.name);
  if ((await visibleNames(parts, call, [call.name])).length === 0) throw refused.noSuchKey();
  return Response.json({ signedURL: await signedPath(parts, `${call.bucket}/${call.name}`, seconds) });
}

/** `POST /object/sign/B` */
export async function signDownloads(parts: StorageParts, call: StorageCall): Promise<Response> {
  const { expiresIn, paths } = await readJson(call.request);
  const seconds = lifetime(expiresIn);
  if (!Array.isArray(paths) || paths.length === 0 || paths.length > MOST_PATHS) {
    throw refused.invalidRequest(`body/paths must have 1 to ${MOST_PATHS} items`);
  }
  const asked = paths.map(String);
  const visible = new Set(await visibleNames(parts, call, asked));
  const answers = asked.map(async (path) => {
    if (visible.has(path)) {
      return { error: null, path, signedURL: await signedPath(parts, `${call.bucket}/${path}`, seconds) };
    }
    const error = "Either the object does not exist or you do not have access to it";
    return { error, path, signedURL: null };
  });
  return Response.json(await Promise.all(answers));
}

/** `POST /object/upload/sign/B/P` */
export async function signUpload(parts: StorageParts, call: StorageCall): Promise<Response> {
  const { headers } = call.request;
  const owner = call.claims?.sub;
  const upsert = headers.get("x-upsert") === "true";
  await checkCanUpload(call, {
    bucket: call.bucket,
    name: call.name,
    owner,
    upsert,
    userMetadata: decodeUserMetadata(headers.get("x-metadata")),
    as: parts.database.as,
  }, {
    mimetype: headers.get("content-type") ?? undefined,
    contentLength: Number(headers.get("content-length") ?? 0),
  });
  const url = `${call.bucket}/${call.name}`;
  const claims = { url, scope: "upload" as const, upsert, ...(owner === undefined ? {} : { owner }) };
  const token = await parts.urlSigner.sign(claims, UPLOAD_URL_SECONDS);
  return Response.json({ url: `/object/upload/sign/${url}?token=${token}`, token });
}

async function visibleNames(parts: StorageParts, call: StorageCall, names: string[]): Promise<string[]> {
  const rows = await parts.database.as(call, (sql) =>
    sql<{ name: string }[]>`
      select name from storage.objects where bucket_id = ${call.bucket} and name = any(${names})`);
  return rows.map((row) => row.name);
}

async function signedPath(parts: StorageParts, url: string, seconds: number): Promise<string> {
  const token = await parts.urlSigner.sign({ url, scope: "download" }, seconds);
  return `/object/sign/${url}?token=${token}`;
}

function lifetime(expiresIn: unknown): number {
  if (typeof expiresIn !== "number" || !Number.isSafeInteger(expiresIn) || expiresIn < 1) {
    throw refused.invalidParameter("expiresIn");
  }
  return expiresIn;
}
