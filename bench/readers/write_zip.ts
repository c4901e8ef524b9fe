/**
 * Parts of text as a zip archive, as a stream, for the files that the benches make: deflated in one go by the platform,
 * at the level that most programs use, unlike the project's own workbooks. Without ZIP64: 4 GiB are refused.
 */

import { crc32 } from "../../shared/formats/xlsx/crc32.ts";
import { LongshoreError } from "../../shared/errors.ts";

export interface ZipPart {
  name: string;
  /** Text that is encoded as UTF-8. */
  content: AsyncIterable<string> | Iterable<string>;
}

interface WrittenEntry {
  name: Uint8Array;
  crc: number;
  compressedSize: number;
  size: number;
  offset: number;
}

const MAX_BYTES = 0xffffffff;
const VERSION = 20;
/** Sizes follow the data; names are UTF-8. */
const FLAGS = 0x0808;
const DEFLATED = 8;
/** 1980-01-01 00:00, the earliest there is: the same rows give the same bytes. */
const DOS_DATE = 0x0021;
const ENCODE_CHARS = 64 * 1024;

export function writeZip(parts: AsyncIterable<ZipPart> | Iterable<ZipPart>): ReadableStream<Uint8Array> {
  const chunks = zipChunks(parts);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return();
    },
  }, { highWaterMark: 0 });
}

async function* zipChunks(
  parts: AsyncIterable<ZipPart> | Iterable<ZipPart>,
): AsyncGenerator<Uint8Array, void, void> {
  const entries: WrittenEntry[] = [];
  let offset = 0;
  for await (const part of parts) {
    const entry = { name: new TextEncoder().encode(part.name), crc: 0, compressedSize: 0, size: 0, offset };
    entries.push(entry);
    const header = localHeader(entry);
    yield header;
    yield* deflated(part.content, entry);
    const descriptor = dataDescriptor(entry);
    yield descriptor;
    offset += header.byteLength + entry.compressedSize + descriptor.byteLength;
    if (entry.size > MAX_BYTES || offset > MAX_BYTES) {
      throw new LongshoreError(
        "file_too_large",
        `Cannot write "${part.name}": it exceeds 4 GiB, expected less`,
      );
    }
  }
  const directory = entries.map(directoryHeader);
  yield* directory;
  const bytes = directory.reduce((sum, header) => sum + header.byteLength, 0);
  yield record([[4, 0x06054b50], [4, 0], [2, entries.length], [2, entries.length], [4, bytes], [4, offset], [
    2,
    0,
  ]]);
}

/** Counts into `entry` what goes through. */
async function* deflated(content: AsyncIterable<string> | Iterable<string>, entry: WrittenEntry) {
  const deflater = new CompressionStream("deflate-raw");
  const reader = deflater.readable.getReader();
  let fault: { error: unknown } | undefined;
  const feeding = feed(content, { entry, writable: deflater.writable }).catch((error) => fault = { error });
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.byteLength === 0) continue;
      entry.compressedSize += value.byteLength;
      yield value;
    }
  } catch (error) {
    await feeding;
    throw fault ? fault.error : error;
  } finally {
    await reader.cancel().catch(() => {});
    await feeding;
  }
}

async function feed(
  content: AsyncIterable<string> | Iterable<string>,
  { entry, writable }: { entry: WrittenEntry; writable: WritableStream<BufferSource> },
): Promise<void> {
  const encoder = new TextEncoder();
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  let text = "";
  const write = async () => {
    const bytes = encoder.encode(text);
    text = "";
    entry.crc = crc32(bytes, entry.crc);
    entry.size += bytes.byteLength;
    await writer.ready;
    await writer.write(bytes);
  };
  try {
    for await (const piece of content) {
      text += piece;
      if (text.length >= ENCODE_CHARS) await write();
    }
    await write();
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

function localHeader({ name }: WrittenEntry): Uint8Array {
  return record([
    [4, 0x04034b50],
    [2, VERSION],
    [2, FLAGS],
    [2, DEFLATED],
    [2, 0],
    [2, DOS_DATE],
    [4, 0],
    [4, 0],
    [4, 0],
    [2, name.byteLength],
    [2, 0],
  ], name);
}

function dataDescriptor({ crc, compressedSize, size }: WrittenEntry): Uint8Array {
  return record([[4, 0x08074b50], [4, crc], [4, compressedSize], [4, size]]);
}

function directoryHeader({ name, crc, compressedSize, size, offset }: WrittenEntry): Uint8Array {
  return record([
    [4, 0x02014b50],
    [2, VERSION],
    [2, VERSION],
    [2, FLAGS],
    [2, DEFLATED],
    [2, 0],
    [2, DOS_DATE],
    [4, crc],
    [4, compressedSize],
    [4, size],
    [2, name.byteLength],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, offset],
  ], name);
}

/** Little-endian fields, each as its width in bytes and its value, and what follows them. */
function record(fields: [2 | 4, number][], rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const length = fields.reduce((sum, [width]) => sum + width, 0);
  const bytes = new Uint8Array(length + rest.byteLength);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value >>> 0, true);
    at += width;
  }
  bytes.set(rest, length);
  return bytes;
}
