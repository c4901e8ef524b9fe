/** The file of an export as a stream of bytes. In: the file, as the job's result names it. Out: its bytes as they come. */
import type { SupabaseClient } from "@supabase/supabase-js";
import { fromSupabase } from "./client_error.ts";
import type { StoredFile } from "./import_types.ts";
import { tryAgain } from "./try_again.ts";

export async function downloadExport(
  supabase: SupabaseClient,
  { bucket, path }: StoredFile,
): Promise<ReadableStream<Uint8Array>> {
  return await tryAgain(async () => {
    const { data, error } = await supabase.storage.from(bucket).download(path).asStream();
    if (error) throw fromSupabase(error, { task: `download "${path}"` });
    return data;
  });
}
