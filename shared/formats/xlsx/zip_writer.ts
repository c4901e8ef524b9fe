/**
 * A zip archive, written entry after entry as bytes come. What it was given so far is deflated piece by piece, each
 * piece a run of deflate blocks that refers to nothing before it and ends at a whole byte: so the archive can be left
 * between two pieces and gone on with in another process, from a state of a few numbers. Sizes and checksums follow
 * each entry in a data descriptor. Without ZIP64, which some programs refuse in streams: 4 GiB are the limit.
 */

import { constants, deflateRawSync } from "node:zlib";
import { LongshoreError } from "../../errors.ts";
import { crc32 } from "./crc32.ts";

/** Of one entry, finished or not; plain JSON. */
export interface WrittenEntry {
  name: string;
  crc: number;
  compressedSize: number;
  size: number;
  /** Of its header in the archive. */
  offset: number;
}

/** Where an archive was left; plain JSON. */
export interface ZipWriterState {
  /** Bytes of the archive so far. */
  offset: number;
  entries: WrittenEntry[];
  /** Whether the last entry is still being written. */
  isOpen: boolean;
}

const MAX_BYTES = 0xffffffff;
const VERSION = 20;
/** Sizes follow the data; names are UTF-8. */
const FLAGS = 0x0808;
const DEFLATED = 8;
/** 1980-01-01 00:00, the earliest there is: the same content gives the same bytes. */
const DOS_DATE = 0x0021;
/**
 * On a sheet's XML a sixth larger than by the default level and three times as fast. The level below has fixed codes
 * only, which readers cannot go on in the middle of.
 */
const LEVEL = 2;
/** The last block of an entry, empty. */
const LAST_BLOCK = Uint8Array.of(3, 0);
const NOTHING = new Uint8Array(0);

export class ZipWriter {
  readonly #entries: WrittenEntry[];
  #offset: number;
  #isOpen: boolean;
  #ready: Uint8Array[] = [];

  constructor(state: ZipWriterState = { offset: 0, entries: [], isOpen: false }) {
    this.#offset = state.offset;
    this.#entries = state.entries.map((entry) => ({ ...entry }));
    this.#isOpen = state.isOpen;
  }

  /** Begins an entry; the one before has been closed. */
  open(name: string): void {
    const entry = { name, crc: 0, compressedSize: 0, size: 0, offset: this.#offset };
    this.#entries.push(entry);
    this.#isOpen = true;
    this.#put(localHeader(entry));
  }

  /** Adds to the open entry. Deflates at once, so pieces of a megabyte or so are best; keeps nothing of `bytes`. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const entry = this.#entries.at(-1)!;
    entry.crc = crc32(bytes, entry.crc);
    entry.size += bytes.length;
    this.#putDeflated(
      entry,
      deflateRawSync(bytes, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK_BYTES }),
    );
  }

  /** Ends the open entry. */
  close(): void {
    const entry = this.#entries.at(-1)!;
    this.#putDeflated(entry, LAST_BLOCK);
    this.#put(dataDescriptor(entry));
    this.#isOpen = false;
    if (entry.size > MAX_BYTES || this.#offset > MAX_BYTES) {
      throw new LongshoreError(
        "file_too_large",
        `Cannot write "${entry.name}": it exceeds 4 GiB, expected less`,
      );
    }
  }

  /** Writes the directory; nothing comes after it. */
  finish(): void {
    const start = this.#offset;
    for (const entry of this.#entries) this.#put(directoryHeader(entry));
    this.#put(directoryEnd({ count: this.#entries.length, start, bytes: this.#offset - start }));
  }

  /** Bytes of the open entry so far, before deflating. */
  get entrySize(): number {
    return this.#isOpen ? this.#entries.at(-1)!.size : 0;
  }

  /** The bytes of the archive that were made since the last call. */
  take(): Uint8Array {
    const ready = this.#ready;
    if (ready.length === 0) return NOTHING;
    this.#ready = [];
    if (ready.length === 1) return ready[0]!;
    const bytes = new Uint8Array(ready.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of ready) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  state(): ZipWriterState {
    return {
      offset: this.#offset,
      entries: this.#entries.map((entry) => ({ ...entry })),
      isOpen: this.#isOpen,
    };
  }

  #putDeflated(entry: WrittenEntry, bytes: Uint8Array): void {
    entry.compressedSize += bytes.length;
    this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    this.#offset += bytes.length;
    this.#ready.push(bytes);
  }
}

/** One piece of output a call, as a rule: a sheet's XML deflates to an eighth. */
const CHUNK_BYTES = 256 * 1024;

function localHeader({ name }: WrittenEntry): Uint8Array {
  const nameBytes = new TextEncoder().encode(name);
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
    [2, nameBytes.length],
    [2, 0],
  ], nameBytes);
}

function dataDescriptor({ crc, compressedSize, size }: WrittenEntry): Uint8Array {
  return record([[4, 0x08074b50], [4, crc], [4, compressedSize], [4, size]]);
}

function directoryHeader({ name, crc, compressedSize, size, offset }: WrittenEntry): Uint8Array {
  const nameBytes = new TextEncoder().encode(name);
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
    [2, nameBytes.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, offset],
  ], nameBytes);
}

function directoryEnd({ count, start, bytes }: { count: number; start: number; bytes: number }): Uint8Array {
  return record([[4, 0x06054b50], [4, 0], [2, count], [2, count], [4, bytes], [4, start], [2, 0]]);
}

/** Little-endian fields, each as its width in bytes and its value, and what follows them. */
function record(fields: [2 | 4, number][], rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const length = fields.reduce((sum, [width]) => sum + width, 0);
  const bytes = new Uint8Array(length + rest.length);
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
