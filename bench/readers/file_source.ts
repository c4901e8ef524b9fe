/** A file on disk as a `ByteSource`, for the benches. */
import type { ByteSource } from "../../shared/formats/reader.ts";

const CHUNK_BYTES = 64 * 1024;

export async function fileSource(path: string): Promise<ByteSource> {
  const { size } = await Deno.stat(path);
  async function* chunks(start: number, end: number) {
    using file = await Deno.open(path);
    await file.seek(start, Deno.SeekMode.Start);
    for (let left = end - start; left > 0;) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, left));
      const count = await file.read(chunk);
      if (count === null) return;
      left -= count;
      yield chunk.subarray(0, count);
    }
  }
  return {
    size,
    stream: (start, end = size) => Promise.resolve(ReadableStream.from(chunks(start, end))),
    read: async (start, end) =>
      new Uint8Array(await new Response(ReadableStream.from(chunks(start, end))).arrayBuffer()),
  };
}
