/**
 * The bytes, one file per version. In: chunks. Out: files that are complete, or none at all: bytes arrive in
 * `incoming/` and are moved to `objects/` when the last one is there. A version never changes, so copies are hard
 * links and cost nothing. It knows no names, buckets or rights.
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { refused } from "./storage_error.ts";

export interface Written {
  size: number;
  /** The MD5 of the bytes, in hexadecimal. */
  md5: string;
}

export interface WriteOptions {
  /** Most bytes to take; more is refused as too large. @default no limit */
  limit?: number | undefined;
}

export interface Files {
  dir: string;
  write(version: string, chunks: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<Written>;
  /** `size` bytes of a version from byte `from` on, or null where there is no such file. */
  read(version: string, part: { from: number; size: number }): Promise<ReadableStream<Uint8Array> | null>;
  /** Takes over a file that is complete, such as a resumable upload's. */
  adopt(path: string, version: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  /** Removes versions; one that is not there is no error. */
  remove(versions: (string | null)[]): Promise<void>;
}

/** Bytes read ahead of a client: one slice of a range read in one go, and little memory for a slow client. */
const READ_SIZE = 1024 * 1024;
/** Bytes gathered for one write: requests arrive in crumbs of 32 KB, and each write costs a change of threads. */
const WRITE_SIZE = 1024 * 1024;

export async function openFiles(dir: string): Promise<Files> {
  const objects = join(dir, "objects");
  const incoming = join(dir, "incoming");
  // What a server that was killed left half received.
  await Deno.remove(incoming, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(objects, { recursive: true });
  await Deno.mkdir(incoming, { recursive: true });

  return {
    dir,
    async write(version, chunks, options = {}) {
      const path = join(incoming, version);
      try {
        const file = await Deno.open(path, { createNew: true, write: true });
        const written = await writeChunks(file, chunks, options);
        await Deno.rename(path, join(objects, version));
        return written;
      } catch (error) {
        await Deno.remove(path).catch(ignoreMissing);
        throw error;
      }
    },
    async read(version, part) {
      let file: Deno.FsFile;
      try {
        file = await Deno.open(join(objects, version));
      } catch (error) {
        ignoreMissing(error);
        return null;
      }
      if (part.from > 0) await file.seek(part.from, Deno.SeekMode.Start);
      return readChunks(file, part.size);
    },
    adopt: (path, version) => Deno.rename(path, join(objects, version)),
    async copy(from, to) {
      try {
        await Deno.link(join(objects, from), join(objects, to));
      } catch (error) {
        ignoreMissing(error);
        throw refused.noSuchBytes();
      }
    },
    async remove(versions) {
      for (const version of versions) {
        if (version) await Deno.remove(join(objects, version)).catch(ignoreMissing);
      }
    },
  };
}

/** Writes and closes the file. */
export async function writeChunks(
  file: Deno.FsFile,
  chunks: AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<Written> {
  using _closed = file;
  const hash = createHash("md5");
  const buffer = new Uint8Array(WRITE_SIZE);
  let buffered = 0;
  let size = 0;

  async function flush(): Promise<void> {
    const bytes = buffer.subarray(0, buffered);
    hash.update(bytes);
    for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
    buffered = 0;
  }

  for await (const chunk of chunks) {
    size += chunk.length;
    if (options.limit !== undefined && size > options.limit) throw refused.tooLarge();
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + WRITE_SIZE - buffered);
      buffer.set(part, buffered);
      buffered += part.length;
      taken += part.length;
      if (buffered === WRITE_SIZE) await flush();
    }
  }
  await flush();
  return { size, md5: hash.digest("hex") };
}

function readChunks(file: Deno.FsFile, size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const buffer = new Uint8Array(Math.min(READ_SIZE, left));
      const read = left > 0 ? await file.read(buffer) : null;
      if (read !== null) {
        left -= read;
        controller.enqueue(buffer.subarray(0, read));
      }
      if (read === null || left === 0) {
        file.close();
        controller.close();
      }
    },
    cancel() {
      file.close();
    },
  }, { highWaterMark: 0 });
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
