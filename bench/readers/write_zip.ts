/** Parts of text as a zip archive, as a stream, for the files that the benches make. */

import { ZipWriter } from "../../shared/formats/xlsx/zip_writer.ts";

export interface ZipPart {
  name: string;
  content: Iterable<string>;
}

const PIECE_CHARS = 1024 * 1024;

export function writeZip(parts: Iterable<ZipPart>): ReadableStream<Uint8Array> {
  return ReadableStream.from(zipChunks(parts));
}

function* zipChunks(parts: Iterable<ZipPart>): Generator<Uint8Array, void, void> {
  const zip = new ZipWriter();
  const encoder = new TextEncoder();
  for (const { name, content } of parts) {
    zip.open(name);
    let text = "";
    for (const piece of content) {
      text += piece;
      if (text.length < PIECE_CHARS) continue;
      zip.write(encoder.encode(text));
      text = "";
      yield zip.take();
    }
    zip.write(encoder.encode(text));
    zip.close();
  }
  zip.finish();
  yield zip.take();
}
