/**
 * Bytes in memory as a `ByteSource`: for uploads small enough to be held whole, and for tests. Nothing is
 * copied; whoever passes the bytes leaves them alone while they are read.
 */
import type { ByteSource } from "./reader.ts";

const CHUNK_BYTES = 64 * 1024;

/** The bytes given, streamed in pieces of 64 KiB. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    stream(start: number, end = bytes.length): Promise<ReadableStream<Uint8Array>> {
      let position = start;
      return Promise.resolve(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            if (position >= end) return controller.close();
            const next = Math.min(position + CHUNK_BYTES, end);
            controller.enqueue(bytes.subarray(position, next));
            position = next;
          },
        }, { highWaterMark: 0 }),
      );
    },
    read(start: number, end: number): Promise<Uint8Array> {
      return Promise.resolve(bytes.subarray(start, end));
    },
  };
}
