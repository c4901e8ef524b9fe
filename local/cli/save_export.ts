/**
 * Puts an exported file on disk. In: its bytes as they come, what they should be, the path. A file of that name is replaced
 * once all bytes are there and are the right ones, never before.
 */
import { createHash } from "node:crypto";
import type { ExportedFile } from "../../shared/client/mod.ts";

export async function saveExport(
  stream: ReadableStream<Uint8Array>,
  { bytes, sha256 }: ExportedFile,
  { path }: { path: string },
): Promise<void> {
  const partial = `${path}.part`;
  const hash = createHash("sha256");
  let size = 0;
  try {
    {
      using file = await Deno.open(partial, { write: true, create: true, truncate: true });
      for await (const chunk of stream) {
        hash.update(chunk);
        size += chunk.length;
        for (let sent = 0; sent < chunk.length;) sent += await file.write(chunk.subarray(sent));
      }
    }
    if (size !== bytes || hash.digest("hex") !== sha256) {
      throw new Error(`Cannot save "${path}": found other bytes than were exported, try again`);
    }
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
}
