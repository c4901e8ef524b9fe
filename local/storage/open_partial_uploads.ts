/**
 * Uploads that arrive in pieces: one file of bytes and one of facts each, so that they outlive a restart. In: pieces.
 * Out: how far an upload is, and at the end its file. A piece that breaks off keeps what arrived; the next one goes
 * on from there. It knows no rights.
 */
import { join } from "@std/path";
import { type Files, writeChunks } from "./open_files.ts";

export interface PartialUpload {
  bucket: string;
  name: string;
  version: string;
  /** Bytes in all; null while the client does not know. */
  length: number | null;
  /** The client's words about the file, as the Upload-Metadata header has them. */
  metadata: Record<string, string>;
  /** Milliseconds since 1970. */
  createdAt: number;
}

export interface PartialUploads {
  /** The upload and the bytes that are there, or null. */
  find(version: string): Promise<{ upload: PartialUpload; offset: number } | null>;
  save(upload: PartialUpload): Promise<void>;
  /** Adds bytes at the end and returns where the end is now; of more than `limit` bytes in all, none are kept. */
  append(
    upload: PartialUpload,
    chunks: AsyncIterable<Uint8Array>,
    options: { limit: number },
  ): Promise<number>;
  /** Makes it a version among the others. */
  finish(upload: PartialUpload, files: Files): Promise<void>;
  remove(version: string): Promise<void>;
}

export const UPLOAD_LIFETIME_MS = 24 * 3600 * 1000;

export async function openPartialUploads(dir: string): Promise<PartialUploads> {
  const uploads = join(dir, "resumable");
  await Deno.mkdir(uploads, { recursive: true });
  const bytesOf = (version: string) => join(uploads, version);
  const factsOf = (version: string) => join(uploads, `${version}.json`);

  async function find(version: string): Promise<{ upload: PartialUpload; offset: number } | null> {
    // A version names a file here, and it comes out of a URL.
    if (!/^[0-9a-f-]{36}$/.test(version)) return null;
    try {
      const upload: PartialUpload = JSON.parse(await Deno.readTextFile(factsOf(version)));
      if (upload.createdAt + UPLOAD_LIFETIME_MS < Date.now()) {
        await remove(version);
        return null;
      }
      return { upload, offset: (await Deno.stat(bytesOf(version))).size };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  async function save(upload: PartialUpload): Promise<void> {
    const bytes = await Deno.open(bytesOf(upload.version), { create: true, append: true });
    bytes.close();
    const draft = `${factsOf(upload.version)}.draft`;
    await Deno.writeTextFile(draft, JSON.stringify(upload));
    await Deno.rename(draft, factsOf(upload.version));
  }

  async function append(
    upload: PartialUpload,
    chunks: AsyncIterable<Uint8Array>,
    options: { limit: number },
  ): Promise<number> {
    const path = bytesOf(upload.version);
    const before = (await Deno.stat(path)).size;
    let broken: unknown;
    const file = await Deno.open(path, { append: true });
    try {
      const kept = untilBroken(chunks, (error) => broken = error);
      const written = await writeChunks(file, kept, { limit: options.limit - before });
      if (broken) throw broken;
      return before + written.size;
    } catch (error) {
      if (!broken) await Deno.truncate(path, before);
      throw error;
    }
  }

  async function finish(upload: PartialUpload, files: Files): Promise<void> {
    await files.adopt(bytesOf(upload.version), upload.version);
    await Deno.remove(factsOf(upload.version));
  }

  async function remove(version: string): Promise<void> {
    for (const path of [bytesOf(version), factsOf(version)]) {
      await Deno.remove(path).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
  }

  for await (const entry of Deno.readDir(uploads)) {
    // Finding an expired upload removes it.
    if (entry.name.endsWith(".json")) await find(entry.name.slice(0, -".json".length));
  }
  return { find, save, append, finish, remove };
}

/** The chunks until the connection breaks off, which ends them early but does not fail. */
async function* untilBroken(
  chunks: AsyncIterable<Uint8Array>,
  tell: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    tell(error ?? new Error("Cannot read the request: it broke off"));
  }
}
