/**
 * The request for an import, as JSON that names a file in Storage or as a form that brings the file along (fields
 * `file` and `request`). A file that comes along is stored as the caller, so that Storage's policies decide.
 */
import { z } from "zod";
import { LongshoreError } from "../errors.ts";
import type { UserCaller } from "../http/authenticate.ts";
import { parseInput, parseJson, readBody } from "../http/read_body.ts";
import { readBytes } from "../http/read_bytes.ts";
import { loadSettings } from "../jobs/load_settings.ts";
import { sha256Hex } from "../text/sha256_hex.ts";
import { ImportRequest, ImportRequestWithoutFile } from "./import_request.ts";

export interface ReadImportRequest {
  request: z.output<typeof ImportRequestWithoutFile>;
  /** Answers where the file lies, after storing it where it came along. */
  file(caller: UserCaller, orgId: string): Promise<{ bucket: string; path: string }>;
}

/** What a form has beside the file: the request and the lines between the parts. */
const AROUND_THE_FILE_BYTES = 64 * 1024;

export async function readImportRequest(request: Request): Promise<ReadImportRequest> {
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("multipart/form-data")) {
    const { file, ...rest } = await readBody(request, ImportRequest);
    return { request: rest, file: () => Promise.resolve(file) };
  }
  const limit = (await loadSettings()).multipart_bytes;
  const bytes = await readBytes(request, { atMost: limit + AROUND_THE_FILE_BYTES });
  if (!bytes) throw tooLarge(limit);
  const form = await new Response(bytes as BodyInit, { headers: { "content-type": type } }).formData().catch(
    (cause) => {
      throw new LongshoreError("invalid_request", "Cannot read the request: expected a form", { cause });
    },
  );
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
  if (file.size > limit) throw tooLarge(limit);
  return {
    request: parseInput(parseJson(text), ImportRequestWithoutFile),
    file: (caller, orgId) => store(caller, file, orgId),
  };
}

function tooLarge(limit: number): LongshoreError {
  return new LongshoreError(
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
