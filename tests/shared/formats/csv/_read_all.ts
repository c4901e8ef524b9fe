/** What the CSV tests share: encoders, a source with chunks of any size, and a whole file as one result. */
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { openCsv, type OpenCsvOptions } from "../../../../shared/formats/csv/mod.ts";
import type { ByteSource, Cell, RowFlaw } from "../../../../shared/formats/reader.ts";

export interface ReadRow {
  cells: Cell[];
  number: number;
  line: number;
  flaw: RowFlaw | null;
}

/** Every row of the file. */
export async function readAll(source: ByteSource, options: OpenCsvOptions = {}): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  const reader = await openCsv(source, options);
  for await (const batch of reader.batches()) {
    batch.rows.forEach((cells, index) => {
      const flaw = batch.flaws?.get(index) ?? null;
      rows.push({ cells, number: batch.rowNumbers[index]!, line: batch.lines![index]!, flaw });
    });
  }
  return rows;
}

export function textSource(text: string): ByteSource {
  return bytesSource(encode(text, "utf-8"));
}

/** A source whose stream gives `size` bytes at a time. */
export function chunkedSource(bytes: Uint8Array, size: number): ByteSource {
  return {
    ...bytesSource(bytes),
    stream(start) {
      let at = start;
      return Promise.resolve(
        new ReadableStream({
          pull(controller) {
            if (at >= bytes.length) return controller.close();
            controller.enqueue(bytes.slice(at, at + size));
            at += size;
          },
        }),
      );
    },
  };
}

/** 100 MB that are never in memory: `head`, then `piece` again and again; and what has been read of them. */
export function endlessSource(
  head: string,
  piece: string,
): { source: ByteSource; transfer: { bytes: number; cancelled: boolean } } {
  const first = encode(head + piece.repeat(300_000), "utf-8");
  const next = encode(piece.repeat(20_000), "utf-8");
  const transfer = { bytes: 0, cancelled: false };
  const source = {
    size: 100_000_000,
    stream() {
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          const chunk = transfer.bytes === 0 ? first : next;
          transfer.bytes += chunk.length;
          controller.enqueue(chunk);
        },
        cancel() {
          transfer.cancelled = true;
        },
      });
      return Promise.resolve(stream);
    },
    read: (start: number, end: number) => Promise.resolve(first.slice(start, end)),
  };
  return { source, transfer };
}

/** `windows-1252` takes characters up to U+00FF only. */
export function encode(text: string, encoding: string): Uint8Array {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  const unit = encoding.startsWith("utf-16") ? 2 : 1;
  const bytes = new Uint8Array(text.length * unit);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at++) {
    if (unit === 1) bytes[at] = text.charCodeAt(at);
    else view.setUint16(at * 2, text.charCodeAt(at), encoding === "utf-16le");
  }
  return bytes;
}

/** Numbers in [0, below), the same for the same seed. */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return function next(below: number): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}
