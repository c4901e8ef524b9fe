/**
 * The bytes of a part's XML in UTF-8, whichever of the two encodings that XML must know it is in. A part in UTF-16 has no
 * marks: its bytes are not those of the entry.
 */

import type { ByteSource } from "../reader.ts";
import type { ZipEntry } from "./read_zip_directory.ts";
import { readZipEntry, type ReadZipEntryOptions } from "./read_zip_entry.ts";

export async function* readXmlEntry(
  source: ByteSource,
  entry: ZipEntry,
  options: ReadZipEntryOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const { from, onMark } = options;
  let decoder: TextDecoder | undefined;
  const chunks = readZipEntry(source, entry, {
    ...options,
    onMark: (mark) => decoder || onMark?.(mark),
  });
  const encoder = new TextEncoder();
  let isFirst = from === undefined;
  for await (const chunk of chunks) {
    if (isFirst) decoder = utf16Decoder(chunk);
    isFirst = false;
    yield decoder ? encoder.encode(decoder.decode(chunk, { stream: true })) : chunk;
  }
}

function utf16Decoder([first, second]: Uint8Array): TextDecoder | undefined {
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le");
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be");
  return undefined;
}
