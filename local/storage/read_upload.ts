/**
 * What an upload request says about its file. In: a request (a form with the file in it, or the bare bytes) and the
 * bucket's limits. Out: the bytes as they arrive, their type and what else is to be kept. It stores nothing.
 */
import { readMultipart } from "./read_multipart.ts";
import { requestBytes } from "./request_bytes.ts";
import { refused, StorageError } from "./storage_error.ts";

export interface IncomingFile {
  bytes: AsyncIterable<Uint8Array>;
  mimeType: string;
  cacheControl: string;
  userMetadata: Record<string, unknown> | undefined;
  /** The request's Content-Length, which policies may look at; of a form, it counts the form too. */
  declaredLength: number | undefined;
  /** Most bytes to take; undefined where the server does not count them. */
  limit: number | undefined;
}

export interface ReadUploadOptions {
  /** Most bytes of one object in this bucket. */
  sizeLimit: number;
  /** What the bucket takes, such as `text/csv` or `image/*`. @default anything */
  allowedMimeTypes: string[] | null;
}

const LONGEST_USER_METADATA = 1024 * 1024;

export async function readUpload(request: Request, options: ReadUploadOptions): Promise<IncomingFile> {
  const contentType = request.headers.get("content-type") ?? "application/octet-stream";
  const length = request.headers.get("content-length");
  const declaredLength = length === null ? undefined : Number(length);
  const file = contentType.startsWith("multipart/form-data")
    ? await readForm(request, { contentType, limit: options.sizeLimit })
    : readBytes(request, { contentType, declaredLength, limit: options.sizeLimit });
  checkMimeType(file.mimeType, options.allowedMimeTypes);
  return { ...file, declaredLength };
}

/** Throws where a bucket that is choosy does not take this type. */
export function checkMimeType(mimeType: string, allowed: string[] | null): void {
  if (!allowed || allowed.length === 0) return;
  const [type, subtype] = mimeType.split("/");
  const taken = subtype !== undefined && allowed.some((one) => {
    const [allowedType, allowedSubtype] = one.split("/");
    return allowedType === type && (allowedSubtype === "*" || allowedSubtype === subtype);
  });
  if (!taken) throw refused.mimeType(mimeType);
}

/** User metadata as headers carry it: JSON in base64; undefined where it is something else. */
export function decodeUserMetadata(base64: string | null): Record<string, unknown> | undefined {
  if (base64 === null) return undefined;
  try {
    return parseObject(new TextDecoder().decode(Uint8Array.fromBase64(base64)));
  } catch {
    // The server takes an upload whose metadata nobody can read, without it.
    return undefined;
  }
}

/** A JSON object, or undefined. */
export function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

type FileWithoutLength = Omit<IncomingFile, "declaredLength">;

async function readForm(
  request: Request,
  options: { contentType: string; limit: number },
): Promise<FileWithoutLength> {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/.exec(options.contentType);
  const mark = boundary?.[1] ?? boundary?.[2];
  if (!mark) throw refused.invalidRequest("No content provided");
  const form = await readMultipart(requestBytes(request), mark).catch((error) => {
    throw error instanceof StorageError ? error : refused.invalidRequest("No content provided", error);
  });
  if (!form) throw refused.invalidRequest("No content provided");

  const metadata = form.fields.get("metadata") ?? form.fields.get("userMetadata");
  if (metadata !== undefined && metadata.length > LONGEST_USER_METADATA) throw refused.tooLarge();
  const seconds = form.fields.get("cacheControl");
  return {
    bytes: form.file,
    mimeType: form.fields.get("contentType") || form.contentType,
    cacheControl: seconds ? `max-age=${seconds}` : "no-cache",
    userMetadata: metadata === undefined ? undefined : parseObject(metadata),
    limit: options.limit,
  };
}

function readBytes(
  request: Request,
  options: { contentType: string; declaredLength: number | undefined; limit: number },
): FileWithoutLength {
  if (options.declaredLength !== undefined && options.declaredLength > options.limit) {
    throw refused.tooLarge();
  }
  return {
    bytes: requestBytes(request),
    mimeType: options.contentType,
    cacheControl: request.headers.get("cache-control") ?? "no-cache",
    userMetadata: decodeUserMetadata(request.headers.get("x-metadata")),
    // As hosted: a stream that does not say how long it is, is not counted.
    limit: undefined,
  };
}
