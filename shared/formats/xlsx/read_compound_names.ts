/**
 * The names of the streams in a compound file, the container of older and of encrypted workbooks. Follows the chain of the
 * directory's sectors as far as it makes sense, and reads no stream.
 */

import type { ByteSource } from "../reader.ts";

const HEADER_BYTES = 512;
const ENTRY_BYTES = 128;
/** Of the directory: a workbook has some dozens of streams, and one with macros some hundreds. */
const MAX_DIRECTORY_BYTES = 256 * 1024;
/** Sectors whose numbers stand in the header itself: enough for files of 7 MB and larger ones' first part. */
const HEADER_FATS = 109;
const NO_MORE = 0xfffffffa;

export async function readCompoundNames(source: ByteSource): Promise<Set<string>> {
  const names = new Set<string>();
  const header = viewOf(await source.read(0, Math.min(HEADER_BYTES, source.size)));
  if (header.byteLength < HEADER_BYTES) return names;
  const sectorBytes = 1 << Math.min(Math.max(header.getUint16(30, true), 7), 12);
  const readSector = async (sector: number) => {
    const start = (sector + 1) * sectorBytes;
    return viewOf(
      start < source.size ? await source.read(start, Math.min(start + sectorBytes, source.size)) : EMPTY,
    );
  };
  let sector = header.getUint32(48, true);
  for (let read = 0; sector < NO_MORE && read < MAX_DIRECTORY_BYTES; read += sectorBytes) {
    const entries = await readSector(sector);
    for (let at = 0; at + ENTRY_BYTES <= entries.byteLength; at += ENTRY_BYTES) {
      const nameBytes = Math.min(Math.max(entries.getUint16(at + 64, true) - 2, 0), 62);
      const name = new Uint8Array(entries.buffer, entries.byteOffset + at, nameBytes);
      names.add(new TextDecoder("utf-16le").decode(name));
    }
    if (entries.byteLength === 0) break;
    // The table of what follows what lies in sectors of its own, each a page of it.
    const perPage = sectorBytes / 4;
    const page = Math.floor(sector / perPage);
    if (page >= HEADER_FATS) break;
    const table = await readSector(header.getUint32(76 + 4 * page, true));
    const at = 4 * (sector % perPage);
    if (at + 4 > table.byteLength) break;
    sector = table.getUint32(at, true);
  }
  return names;
}

const EMPTY = new Uint8Array(0);

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
