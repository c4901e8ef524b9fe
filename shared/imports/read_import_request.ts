/**
 * The request for an import, as JSON that names a file in Storage or as a form that brings the file along (fields
 * `file` and `request`). A file that comes along is stored as the caller, so that Storage's policies decide.
 */
import { z } from "zod";
import { LongshoreError } from "../errors.ts";
import type { UserCaller } from "../http/authenticate.ts";
import { parseInput, parseJson, readBody } from "../http/read_body.ts";
import { loadSettings } from "../jobs/load_settings.ts";
import { sha256Hex } from "../text/sha256_hex.ts";
import { ImportRequest, ImportRequestWithoutFile } from "./import_request.ts";

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
  const limit = (await loadSettings()).multipart_bytes;
  const announced = Number(request.headers.get("content-length") ?? 0) - 64 * 1024;
  if (announced > limit) await drain(request, 8 * limit);
  refuseLarger(announced, limit);
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
  refuseLarger(file.size, limit);
  return {
    request: parseInput(parseJson(text), ImportRequestWithoutFile),
    file: (caller, orgId) => store(caller, file, orgId),
  };
}

/**
 * Reads a body that is refused, within limits: an answer before its end would look like a broken connection to whoever
 * is still sending.
 */
async function drain(request: Request, atMost: number): Promise<void> {
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.length;
    if (bytes > atMost) break;
  }
}

function refuseLarger(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new LongshoreError(
    "file_too_large",
    `Cannot take a file of more than ${
      limit / 1e6
    } MB with the request: upload it to Storage and name it in the request`,
    { details: { limit } },
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
  const hash = (await sha256Hex(bytes)).slice(0, 32);
  const name = file.name.normalize("NFKD").replace(/[^\w.-]+/g, "_").slice(-100) || "file";
  const path = `${orgId}/${userId}/${hash}/${name}`;
  // Without a type of its own: the same file comes as many types, and the readers look at the bytes.
  const { error } = await client.storage.from("imports").upload(path, new Blob([bytes]));
  if (error) refuse(error);
  return { bucket: "imports", path };
}

/** Storage answers almost everything with the status 400; its own one is in the body. */
function refuse(cause: Error & { statusCode?: string | undefined }): void {
  switch (cause.statusCode) {
    // The same content under the same name is there already.
    case "409":
      return;
    case "403":
      throw new LongshoreError(
        "not_allowed",
        "Cannot store the file: you may not upload into this organization",
        {
          cause,
        },
      );
    case "413":
      throw new LongshoreError(
        "file_too_large",
        "Cannot store the file: it is larger than the bucket allows",
        { cause },
      );
    case "415":
      throw new LongshoreError(
        "unsupported_format",
        "Cannot store the file: the bucket takes no files of this type",
        {
          cause,
        },
      );
    default:
      throw cause;
  }
}
