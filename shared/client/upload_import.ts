/**
 * Brings a file to where imports are read from. In: the file. Out: its bucket and path,
 * `imports/<organization>/<a new id>/<name>`. The name keeps its ending and its plain letters: Storage refuses others.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import { fromSupabase, isRecord, LongshoreClientError } from "./client_error.ts";
import type { StoredFile } from "./import_types.ts";
import { tryAgain } from "./try_again.ts";

export interface UploadImportOptions {
  /** The organization the file belongs to. @default the caller's only one */
  orgId?: string | undefined;
  /** Ends it before the next attempt. */
  signal?: AbortSignal | undefined;
}

const BUCKET = "imports";

export async function uploadImport(
  supabase: SupabaseClient,
  file: File,
  { orgId, signal }: UploadImportOptions = {},
): Promise<StoredFile> {
  const path = `${orgId ?? await onlyOrganization(supabase, signal)}/${crypto.randomUUID()}/${
    plainName(file.name)
  }`;
  await tryAgain(async (attempt) => {
    const { error } = await supabase.storage.from(BUCKET).upload(path, file, {
      contentType: file.type || "application/octet-stream",
    });
    // The folder is new: if the name is taken, an earlier attempt got through and its answer did not.
    if (!error || (attempt > 1 && isDuplicate(error))) return;
    throw fromSupabase(error, { task: `upload "${file.name}"` });
  }, { signal });
  return { bucket: BUCKET, path };
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
