/**
 * The request for an import, as JSON that names a file in Storage or as a form that brings the file along (fields
 * `file` and `request`). A file that comes along is stored as the caller, so that Storage's policies decide.
 */
import { z } from "zod";
import { LongshoreError } from "../errors.ts";
import type { UserCaller } from "../http/authenticate.ts";
import { parseInput, parseJson, readBody } from "../http/read_body.ts";
import { ImportRequest, ImportRequestWithoutFile } from "./import_request.ts";

const MULTIPART_BYTES = 6 * 1024 * 1024;

export interface ReadImportRequest {
  request: z.output<typeof ImportRequestWithoutFile>;
  /** Answers where the file lies, after storing it where it came along. */
  file(caller: UserCaller, orgId: string): Promise<{ bucket: string; path: string }>;
}

export async function readImportRequest(request: Request): Promise<ReadImportRequest> {
  if (!request.headers.get("content-type")?.startsWith("multipart/form-data")) {
    const { file, ...rest } = await readBody(request, ImportRequest);
    return { request: rest, file: () => Promise.resolve(file) };
  }
  const announced = Number(request.headers.get("content-length") ?? 0) - 64 * 1024;
  if (announced > MULTIPART_BYTES) await drain(request);
  refuseLarger(announced);
  const form = await request.formData().catch((cause) => {
    throw new LongshoreError("invalid_request", "Cannot read the request: expected a form", { cause });
  });
  const file = form.get("file");
  const text = form.get("request");
  if (!(file instanceof File) || typeof text !== "string") {
    throw new LongshoreError(
      "invalid_request",
      'Cannot read the form: expected the fields "file" and "request"',
      {
        details: { issues: [{ path: file instanceof File ? "request" : "file", message: "required" }] },
      },
    );
  }
  refuseLarger(file.size);
  return {
    request: parseInput(parseJson(text), ImportRequestWithoutFile),
    file: (caller, orgId) => store(caller, file, orgId),
  };
}

/**
 * Reads a body that is refused, within limits: an answer before its end would look like a broken connection to whoever
 * is still sending.
 */
async function drain(request: Request): Promise<void> {
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.length;
    if (bytes > 8 * MULTIPART_BYTES) break;
  }
}

function refuseLarger(bytes: number): void {
  if (bytes <= MULTIPART_BYTES) return;
  throw new LongshoreError(
    "file_too_large",
    "Cannot take a file of more than 6 MB with the request: upload it to Storage and name it in the request",
    { details: { limit: MULTIPART_BYTES } },
  );
}

/**
 * The path is made of the content: a request that is sent again names the same file, so that its Idempotency-Key
 * answers with the same job.
 */
async function store(
  { client, userId }: UserCaller,
  file: File,
  orgId: string,
): Promise<{ bucket: string; path: string }> {
  const bytes = await file.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const name = file.name.normalize("NFKD").replace(/[^\w.-]+/g, "_").slice(-100) || "file";
  const path = `${orgId}/${userId}/${hash}/${name}`;
  const contentType = file.type || "application/octet-stream";
  const { error } = await client.storage.from("imports").upload(path, new Blob([bytes]), { contentType });
  if (error && (error as { statusCode?: string }).statusCode !== "409") {
    throw new LongshoreError(
      "not_allowed",
      "Cannot store the file: you may not upload into this organization",
      {
        cause: error,
      },
    );
  }
  return { bucket: "imports", path };
}
