/** Marks as plain JSON for a cursor, and back: what the stream may refer to is deflated, a few kilobytes as text. */

import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import type { EntryMark } from "./read_zip_entry.ts";

export interface PackedMark {
  at: number;
  bit: number;
  offset: number;
  crc: number;
  /** Deflated, in base64url. */
  window: string;
}

/** A mark stands in many cursors. */
const packed = new WeakMap<EntryMark, PackedMark>();

export async function packMark(mark: EntryMark): Promise<PackedMark> {
  const known = packed.get(mark);
  if (known) return known;
  const { at, bit, offset, crc } = mark;
  const deflated = await through(mark.window, new CompressionStream("deflate-raw"));
  const result = { at, bit, offset, crc, window: encodeBase64Url(deflated) };
  packed.set(mark, result);
  return result;
}

export async function unpackMark(mark: PackedMark): Promise<EntryMark> {
  const { at, bit, offset, crc } = mark;
  const window = await through(decodeBase64Url(mark.window), new DecompressionStream("deflate-raw"));
  const result = { at, bit, offset, crc, window };
  packed.set(result, mark);
  return result;
}

async function through(
  bytes: Uint8Array,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const stream = new Blob([bytes as BufferSource]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
