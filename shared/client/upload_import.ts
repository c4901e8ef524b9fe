/**
 * Brings a file to where imports are read from. In: the file. Out: its bucket and path,
 * `imports/<organization>/<folder>/<name>`. The folder is new, or the one that belongs to the idempotency key: the same key
 * gives the same path, and a file that is there already is not sent again. The name keeps its ending and its plain letters:
 * Storage refuses others.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import { sha256Hex } from "../text/sha256_hex.ts";
import { fromSupabase, isRecord, LongshoreClientError } from "./client_error.ts";
import type { StoredFile } from "./import_types.ts";
import { tryAgain } from "./try_again.ts";

export interface UploadImportOptions {
  /** The organization the file belongs to. @default the caller's only one */
  orgId?: string | undefined;
  /** The same key is the same folder, for the same person. @default a new folder */
  idempotencyKey?: string | undefined;
  /** Ends it before the next attempt. */
  signal?: AbortSignal | undefined;
}

const BUCKET = "imports";

export async function uploadImport(
  supabase: SupabaseClient,
  file: File,
  { orgId, idempotencyKey, signal }: UploadImportOptions = {},
): Promise<StoredFile> {
  const organization = orgId ?? await onlyOrganization(supabase, signal);
  const folder = idempotencyKey === undefined
    ? crypto.randomUUID()
    : await folderOfKey(supabase, idempotencyKey, file);
  const path = `${organization}/${folder}/${plainName(file.name)}`;
  const stored = { bucket: BUCKET, path };
  if (idempotencyKey !== undefined && await isThere(supabase, path, file)) return stored;
  await tryAgain(async () => {
    const { error } = await supabase.storage.from(BUCKET).upload(path, file, {
      contentType: file.type || "application/octet-stream",
    });
    // If the name is taken, an earlier attempt got through and its answer did not.
    if (!error || (isDuplicate(error) && await isThere(supabase, path, file))) return;
    throw fromSupabase(error, { task: `upload "${file.name}"` });
  }, { signal });
  return stored;
}

/**
 * Two people may choose the same key: neither may come upon the other's file. Another file is another folder, so that the
 * function sees another request and refuses the key.
 */
async function folderOfKey(supabase: SupabaseClient, key: string, file: File): Promise<string> {
  // `auth` is out of reach where the client has the `accessToken` option; this knows the token in both cases.
  const token = await supabase.realtime.accessToken?.() ?? "";
  return (await sha256Hex(JSON.stringify([subjectOf(token), key, await digestOf(file)]))).slice(0, 32);
}

/** Of the file's pieces, one after the other: there is no hash that takes a stream, and a whole file may be too large. */
async function digestOf(file: File): Promise<string> {
  const PIECE_BYTES = 8 * 1024 * 1024;
  let digest = "";
  for (let start = 0; start === 0 || start < file.size; start += PIECE_BYTES) {
    const piece = await file.slice(start, start + PIECE_BYTES).arrayBuffer();
    digest = await sha256Hex(digest + await sha256Hex(piece));
  }
  return digest;
}

function subjectOf(token: string): unknown {
  try {
    const claims = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const parsed: unknown = JSON.parse(atob(claims));
    return isRecord(parsed) ? parsed["sub"] : null;
  } catch {
    return null;
  }
}

/** Whether the file is there; one of another size is the rest of an upload that broke off. */
async function isThere(supabase: SupabaseClient, path: string, file: File): Promise<boolean> {
  const { data } = await supabase.storage.from(BUCKET).info(path);
  return data?.size === file.size;
}

async function onlyOrganization(supabase: SupabaseClient, signal: AbortSignal | undefined): Promise<string> {
  return await tryAgain(async () => {
    const { data, error, status } = await supabase.from("organizations").select("id").limit(2);
    if (error) throw fromSupabase(error, { task: "find your organization", status });
    if (data.length === 1) return String(data[0]?.id);
    const found = data.length === 0 ? "no organization" : "more than one organization";
    throw new LongshoreClientError(
      "invalid_request",
      `Cannot choose the folder of the file: found ${found} of yours, expected one or the option "orgId"`,
    );
  }, { signal });
}

function plainName(name: string): string {
  const plain = name.normalize("NFKD").replace(/[^\w.() -]+/g, "_").replace(/^\.+/, "").trim();
  return plain.length > 100 ? plain.slice(-100) : plain || "file";
}

function isDuplicate(error: unknown): boolean {
  return isRecord(error) && (error["statusCode"] === "409" || error["error"] === "Duplicate");
}
