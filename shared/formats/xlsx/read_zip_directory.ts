/**
 * The entries of a zip archive, from its central directory, which is read by range from the end of the file.
 * Gives where each entry lies and how large it says it is; reads no entry. Knows ZIP64; refuses archives in
 * several volumes and entries that overlap, which is how small archives are made to look endless.
 */

import { LongshoreError } from "../../errors.ts";
import type { ByteSource } from "../reader.ts";

export interface ZipEntry {
  name: string;
  /** 0 stored, 8 deflated. */
  method: number;
  encrypted: boolean;
  crc: number;
  compressedSize: number;
  size: number;
  /** Where the entry's local header starts. */
  offset: number;
  /** Where the next entry, or the directory, starts. */
  end: number;
}

export interface ZipDirectory {
  entries: Map<string, ZipEntry>;
  /** The entry of that name, whatever its case and the direction of its slashes. */
  find(name: string): ZipEntry | undefined;
}

const END_RECORD = 0x06054b50;
const END_RECORD_BYTES = 22;
const END64_LOCATOR = 0x07064b50;
const END64_LOCATOR_BYTES = 20;
const END64_RECORD = 0x06064b50;
const END64_RECORD_BYTES = 56;
const FILE_HEADER = 0x02014b50;
const FILE_HEADER_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
/** A workbook has some dozens of entries; the limit keeps a forged directory from filling the memory. */
const MAX_DIRECTORY_BYTES = 8 * 1024 * 1024;

export async function readZipDirectory(source: ByteSource): Promise<ZipDirectory> {
  const tailBytes = END_RECORD_BYTES + MAX_COMMENT_BYTES + END64_LOCATOR_BYTES;
  const tailStart = Math.max(0, source.size - tailBytes);
  const tail = await source.read(tailStart, source.size);
  const { start, bytes: directoryBytes, count } = await findDirectory(source, { tail, tailStart });
  if (directoryBytes > MAX_DIRECTORY_BYTES) {
    throw new LongshoreError(
      "unsafe_file",
      `Cannot open the workbook: its zip directory has ${directoryBytes} bytes, expected at most ${MAX_DIRECTORY_BYTES}`,
    );
  }
  const directory = start >= tailStart
    ? tail.subarray(start - tailStart, start - tailStart + directoryBytes)
    : await source.read(start, start + directoryBytes);
  const entries = parseEntries(directory, count);
  setEnds(entries, start);
  return indexByName(entries);
}

interface Tail {
  tail: Uint8Array;
  tailStart: number;
}

async function findDirectory(source: ByteSource, { tail, tailStart }: Tail) {
  const view = viewOf(tail);
  const at = findEndRecord(view);
  if (at < 0) throw damaged("its end is missing, so it is probably cut off");
  const disks = view.getUint16(at + 4, true);
  let count = view.getUint16(at + 10, true);
  let bytes = view.getUint32(at + 12, true);
  let start = view.getUint32(at + 16, true);
  let limit = tailStart + at;
  const locatorAt = at - END64_LOCATOR_BYTES;
  const isZip64 = locatorAt >= 0 && view.getUint32(locatorAt, true) === END64_LOCATOR;
  if (isZip64) {
    const recordAt = safeInteger(view.getBigUint64(locatorAt + 8, true));
    if (recordAt + END64_RECORD_BYTES > tailStart + locatorAt) throw damaged("its ZIP64 record lies outside");
    const record = viewOf(await source.read(recordAt, recordAt + END64_RECORD_BYTES));
    if (record.byteLength < END64_RECORD_BYTES || record.getUint32(0, true) !== END64_RECORD) {
      throw damaged("its ZIP64 record is missing");
    }
    count = safeInteger(record.getBigUint64(32, true));
    bytes = safeInteger(record.getBigUint64(40, true));
    start = safeInteger(record.getBigUint64(48, true));
    limit = recordAt;
  } else if (disks !== 0) {
    throw new LongshoreError(
      "unsupported_format",
      "Cannot open the workbook: it is a zip archive in several volumes",
    );
  }
  if (start + bytes > limit) throw damaged("its directory lies outside the file");
  return { start, bytes, count };
}

function findEndRecord(view: DataView): number {
  for (let at = view.byteLength - END_RECORD_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_RECORD) continue;
    if (at + END_RECORD_BYTES + view.getUint16(at + 20, true) <= view.byteLength) return at;
  }
  return -1;
}

function parseEntries(directory: Uint8Array, count: number): ZipEntry[] {
  const view = viewOf(directory);
  const names = new TextDecoder();
  const entries: ZipEntry[] = [];
  let at = 0;
  while (entries.length < count) {
    if (at + FILE_HEADER_BYTES > view.byteLength || view.getUint32(at, true) !== FILE_HEADER) {
      throw damaged(`its directory ends after ${entries.length} of ${count} entries`);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + FILE_HEADER_BYTES + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > view.byteLength) throw damaged("an entry of its directory is cut off");
    const extraAt = at + FILE_HEADER_BYTES + nameBytes;
    const entry: ZipEntry = {
      name: names.decode(directory.subarray(at + FILE_HEADER_BYTES, extraAt)),
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      crc: view.getUint32(at + 16, true),
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
      end: 0,
    };
    applyZip64Extra(entry, new DataView(view.buffer, view.byteOffset + extraAt, extraBytes));
    entries.push(entry);
    at = next;
  }
  return entries;
}

/** Replaces the fields that do not fit in 32 bits, in the order the format fixes. */
function applyZip64Extra(entry: ZipEntry, extra: DataView): void {
  const FULL = 0xffffffff;
  if (entry.size !== FULL && entry.compressedSize !== FULL && entry.offset !== FULL) return;
  let at = 0;
  while (at + 4 <= extra.byteLength) {
    const id = extra.getUint16(at, true);
    const fieldEnd = at + 4 + extra.getUint16(at + 2, true);
    if (fieldEnd > extra.byteLength) return;
    if (id === 1) {
      let field = at + 4;
      for (const key of ["size", "compressedSize", "offset"] as const) {
        if (entry[key] !== FULL || field + 8 > fieldEnd) continue;
        entry[key] = safeInteger(extra.getBigUint64(field, true));
        field += 8;
      }
      return;
    }
    at = fieldEnd;
  }
}

function setEnds(entries: ZipEntry[], directoryStart: number): void {
  const byOffset = entries.toSorted((a, b) => a.offset - b.offset);
  byOffset.forEach((entry, i) => {
    entry.end = byOffset[i + 1]?.offset ?? directoryStart;
    const least = LOCAL_HEADER_BYTES + entry.compressedSize;
    if (entry.offset + least > directoryStart) {
      throw damaged(`the entry "${entry.name}" lies outside the file`);
    }
    if (entry.offset + least > entry.end) {
      throw new LongshoreError(
        "unsafe_file",
        `Cannot open the workbook: its entry "${entry.name}" overlaps another`,
      );
    }
  });
}

/** By which readers find an entry: whatever its case and the direction of its slashes. */
export function normalName(name: string): string {
  return name.replaceAll("\\", "/").replace(/^\/+/, "").toLowerCase();
}

function indexByName(list: ZipEntry[]): ZipDirectory {
  const entries = new Map(list.map((entry) => [entry.name, entry]));
  const byNormalName = new Map(list.map((entry) => [normalName(entry.name), entry]));
  if (byNormalName.size < list.length) {
    // Readers would not agree on which of them counts, nor on how large the archive is.
    throw new LongshoreError(
      "unsafe_file",
      "Cannot open the workbook: two of its entries have the same name",
    );
  }
  return { entries, find: (name) => byNormalName.get(normalName(name)) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function safeInteger(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw damaged("it names a position beyond the end of any file");
  }
  return Number(value);
}

function damaged(found: string): LongshoreError {
  return new LongshoreError("unreadable_file", `Cannot open the workbook: ${found}`);
}
