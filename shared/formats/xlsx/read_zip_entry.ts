/**
 * The bytes of one zip entry, inflated, in chunks, with one ranged read. The entry may not give more bytes than
 * the directory says, and what the directory says is bounded; length and checksum are verified at the end.
 * Ending the loop early ends the transfer, and then nothing is verified.
 */

import { crc32 } from "./crc32.ts";
import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import type { ZipEntry } from "./read_zip_directory.ts";

/** Counts the bytes taken from the file, for progress. */
export interface ReadMeter {
  bytesRead: number;
}

const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
/** Inflated bytes of one entry: about 4 million rows of 12 columns. */
const MAX_INFLATED_BYTES = 2 * 1024 ** 3;
/** Sheets of a single repeated value reach about 100; what deflate can reach is 1,032. */
const MAX_RATIO = 300;
const RATIO_COUNTS_FROM_BYTES = 50 * 1024 * 1024;
/** A step of deflate grows its input by at most 1,032: 16 KiB in are 17 MB out. */
const INFLATE_STEP_BYTES = 16 * 1024;

export async function* readZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  options: { meter?: ReadMeter } = {},
): AsyncGenerator<Uint8Array, void, void> {
  refuseUnsafe(entry);
  const compressed = entryBytes(source, entry, options.meter);
  const inflated = entry.method === STORED ? compressed : inflate(compressed, entry);
  let size = 0;
  let crc = 0;
  for await (const chunk of inflated) {
    size += chunk.byteLength;
    if (size > entry.size) {
      throw new LongshoreError(
        "unsafe_file",
        `Cannot read "${entry.name}": found more than the ${entry.size} bytes that the zip directory states`,
      );
    }
    crc = crc32(chunk, crc);
    yield chunk;
  }
  if (size < entry.size) throw damaged(entry, `found ${size} of its ${entry.size} bytes`);
  if (crc !== entry.crc) throw damaged(entry, "its checksum does not match its content");
}

function refuseUnsafe(entry: ZipEntry): void {
  if (entry.encrypted) {
    throw new LongshoreError(
      "encrypted_file",
      `Cannot read "${entry.name}": it is encrypted, expected no password`,
    );
  }
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw new LongshoreError(
      "unsupported_format",
      `Cannot read "${entry.name}": found zip compression method ${entry.method}, expected 0 or 8`,
    );
  }
  const ratio = entry.size / Math.max(1, entry.compressedSize);
  const explodes = entry.size > RATIO_COUNTS_FROM_BYTES && ratio > MAX_RATIO;
  if (entry.size > MAX_INFLATED_BYTES || explodes) {
    throw new LongshoreError(
      "unsafe_file",
      `Cannot read "${entry.name}": ${entry.compressedSize} bytes would grow to ${entry.size}, expected at most ` +
        `${MAX_INFLATED_BYTES} and, from 50 MiB on, at most ${MAX_RATIO} times as many`,
    );
  }
}

/** The entry's own bytes: its local header comes with the same transfer and is dropped here. */
async function* entryBytes(source: ByteSource, entry: ZipEntry, meter: ReadMeter | undefined) {
  let header: Uint8Array | undefined = new Uint8Array(0);
  let left = entry.compressedSize;
  for await (let chunk of await source.stream(entry.offset, entry.end)) {
    if (header) {
      header = joined(header, chunk);
      const headerBytes = localHeaderBytes(header, entry);
      if (headerBytes > header.byteLength) continue;
      chunk = header.subarray(headerBytes);
      header = undefined;
    }
    if (chunk.byteLength > left) chunk = chunk.subarray(0, left);
    left -= chunk.byteLength;
    if (meter) meter.bytesRead += chunk.byteLength;
    yield chunk;
    if (left === 0) return;
  }
}

/** Only the local header itself tells how long it is. */
function localHeaderBytes(bytes: Uint8Array, entry: ZipEntry): number {
  if (bytes.byteLength < LOCAL_HEADER_BYTES) return LOCAL_HEADER_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== LOCAL_HEADER) throw damaged(entry, "its header is missing");
  const length = LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (entry.offset + length + entry.compressedSize > entry.end) {
    throw damaged(entry, "its bytes reach into the next entry");
  }
  return length;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.byteLength === 0) return b;
  const all = new Uint8Array(a.byteLength + b.byteLength);
  all.set(a);
  all.set(b, a.byteLength);
  return all;
}

/** Feeds and drains by hand instead of piping, so that a fault of the file and one of its source stay apart. */
async function* inflate(compressed: AsyncGenerator<Uint8Array, void, void>, entry: ZipEntry) {
  const inflater = new DecompressionStream("deflate-raw");
  const reader = inflater.readable.getReader();
  let sourceFault: { error: unknown } | undefined;
  const feeding = feed(compressed, inflater.writable, (error) => sourceFault = { error });
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (sourceFault) throw sourceFault.error;
    throw damaged(entry, "its compressed bytes are damaged", error);
  } finally {
    await reader.cancel().catch(() => {});
    await feeding;
  }
}

/** Never rejects: what goes wrong shows on the readable side. */
async function feed(
  compressed: AsyncGenerator<Uint8Array, void, void>,
  writable: WritableStream<BufferSource>,
  onSourceFault: (error: unknown) => void,
): Promise<void> {
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  try {
    while (true) {
      const next = await compressed.next().catch((error) => {
        onSourceFault(error);
        throw error;
      });
      if (next.done) break;
      for (let at = 0; at < next.value.byteLength; at += INFLATE_STEP_BYTES) {
        await writer.ready;
        await writer.write(next.value.slice(at, at + INFLATE_STEP_BYTES));
      }
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
  } finally {
    await compressed.return().catch(() => {});
  }
}

function damaged(entry: ZipEntry, found: string, cause?: unknown): LongshoreError {
  return new LongshoreError("unreadable_file", `Cannot read "${entry.name}": ${found}`, { cause });
}
