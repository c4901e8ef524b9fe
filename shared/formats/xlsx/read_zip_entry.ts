/**
 * The bytes of one zip entry, inflated, in chunks, with one ranged read; from its start or from a mark that an earlier
 * reading has made. The entry may not give more bytes than the directory says, and what the directory says is bounded;
 * length and checksum are verified at the end, marks or not. Ending the loop early ends the transfer, and then nothing
 * is verified.
 */

import { crc32 } from "./crc32.ts";
import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";
import { type DeflatePlace, inflate, InflateError } from "./inflate.ts";
import type { ZipEntry } from "./read_zip_directory.ts";

/** Where an entry can be gone on with. */
export interface EntryMark extends DeflatePlace {
  /** Inflated bytes before it. */
  offset: number;
  /** Their checksum. */
  crc: number;
}

export interface ReadZipEntryOptions {
  meter?: ReadMeter;
  /** Where to go on. @default the start of the entry */
  from?: EntryMark | undefined;
  /** Inflated bytes between two marks, at least. @default no marks */
  markEvery?: number;
  /** Called between two chunks, before the one that starts at the mark. */
  onMark?: (mark: EntryMark) => void;
}

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

export async function* readZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  options: ReadZipEntryOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  refuseUnsafe(entry);
  const { from, markEvery = Infinity, onMark } = options;
  let size = from?.offset ?? 0;
  let crc = from?.crc ?? 0;
  const mark = (place: DeflatePlace) => onMark?.({ ...place, offset: size, crc });
  const compressed = entryBytes(source, entry, options);
  const content = entry.method === STORED
    ? withMarks(compressed, { at: size, markEvery, onMark: mark })
    : inflate(compressed, { markEvery, onMark: mark, ...(from ? { from } : {}) });
  try {
    for await (const chunk of content) {
      crc = crc32(chunk, crc);
      size += chunk.byteLength;
      if (size > entry.size) {
        throw new LongshoreError(
          "unsafe_file",
          `Cannot read "${entry.name}": found more than the ${entry.size} bytes that the zip directory states`,
        );
      }
      yield chunk;
    }
  } catch (error) {
    if (error instanceof InflateError) throw damaged(entry, "its compressed bytes are damaged", error.cause);
    throw error;
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

/** The entry's own bytes from a mark on: its local header comes with the same transfer and is dropped here. */
async function* entryBytes(source: ByteSource, entry: ZipEntry, { from, meter }: ReadZipEntryOptions) {
  let left = entry.compressedSize - (from?.at ?? 0);
  let header: Uint8Array | undefined = from ? undefined : new Uint8Array(0);
  const start = from ? entry.offset + await headerBytes(source, entry) + from.at : entry.offset;
  for await (let chunk of await source.stream(start, entry.end)) {
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

async function headerBytes(source: ByteSource, entry: ZipEntry): Promise<number> {
  return localHeaderBytes(await source.read(entry.offset, entry.offset + LOCAL_HEADER_BYTES), entry);
}

/** A stored entry can be gone on with anywhere. */
async function* withMarks(
  chunks: AsyncGenerator<Uint8Array, void, void>,
  { at, markEvery, onMark }: { at: number; markEvery: number; onMark: (place: DeflatePlace) => void },
) {
  let marked = at;
  for await (const chunk of chunks) {
    if (at - marked >= markEvery) {
      onMark({ at, bit: 0, window: new Uint8Array(0) });
      marked = at;
    }
    at += chunk.length;
    yield chunk;
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

function damaged(entry: ZipEntry, found: string, cause?: unknown): LongshoreError {
  return new LongshoreError("unreadable_file", `Cannot read "${entry.name}": ${found}`, { cause });
}
