/**
 * Inflates a stream of deflated bytes, and marks places on the way where it can be gone on with: at such a place the
 * stream is cut between two of its blocks and inflated in two pieces, so that a mark that holds has been tried. The
 * platform's inflater does the work; it tells nothing of blocks, and takes no state. Verifies no checksum.
 */

import { deflateEnd, deflateStart, WINDOW_BYTES } from "./splice_deflate.ts";
import { findDeflateBlock } from "./find_deflate_block.ts";

/** Where to go on in a deflate stream. */
export interface DeflatePlace {
  /** Bytes of the stream that are done with. */
  at: number;
  /** Bits of the next byte that are done with. */
  bit: number;
  /** The inflated bytes before, as many as may be referred to. */
  window: Uint8Array;
}

export interface InflateOptions {
  /** Where the bytes start in their stream. @default its start */
  from?: DeflatePlace;
  /** Inflated bytes between two marks, at least. @default no marks */
  markEvery?: number;
  /** Called between two chunks. */
  onMark?: (place: DeflatePlace) => void;
}

/** What went wrong with the bytes, unlike what went wrong with getting them, which is thrown as it is. */
export class InflateError extends Error {
  override readonly name = "InflateError";
}

/** A step of deflate grows its input by at most 1,032: 32 KiB in are 34 MB out. */
const STEP_BYTES = 32 * 1024;
/** Looked through for a place to cut: room for some blocks of any usual encoder. */
const SEARCH_BYTES = 160 * 1024;

export async function* inflate(
  compressed: AsyncGenerator<Uint8Array, void, void>,
  { from, markEvery = Infinity, onMark }: InflateOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const input = new Input(compressed, from?.at ?? 0);
  const tail = new Tail(from?.window);
  try {
    let place: DeflatePlace | null = from ?? { at: 0, bit: 0, window: new Uint8Array(0) };
    while (place) {
      const piece: Piece = { input, place, wantsCut: false, failures: 0, cut: null, fault: null };
      let sinceMark = 0;
      let left = place.window.length;
      const inflater = new DecompressionStream("deflate-raw");
      const reader = inflater.readable.getReader();
      const feeding = feed(inflater.writable, piece);
      try {
        while (true) {
          const { done, value } = await reader.read().catch((error) => {
            throw piece.fault ? piece.fault.error : new InflateError("Cannot inflate", { cause: error });
          });
          if (done) break;
          const fresh = left > 0 ? value.subarray(left) : value;
          left -= value.length - fresh.length;
          if (fresh.length === 0) continue;
          tail.add(fresh);
          sinceMark += fresh.length;
          piece.wantsCut = sinceMark >= markEvery * 2 ** piece.failures;
          yield fresh;
        }
      } finally {
        await reader.cancel().catch(() => {});
        await feeding;
      }
      place = piece.cut && { ...piece.cut, window: tail.bytes() };
      if (place) onMark?.(place);
    }
  } finally {
    await compressed.return().catch(() => {});
  }
}

interface Piece {
  input: Input;
  place: DeflatePlace;
  /** Whether the piece is long enough to be cut. */
  wantsCut: boolean;
  /** How often no place was found: each time twice as much is inflated before the next search, or it would cost too much. */
  failures: number;
  /** Where it was cut. */
  cut: { at: number; bit: number } | null;
  /** Why the bytes could not be had. */
  fault: { error: unknown } | null;
}

/** Feeds bytes up to a cut or to their end. Never rejects: what goes wrong shows on the readable side. */
async function feed(writable: WritableStream<BufferSource>, piece: Piece): Promise<void> {
  const { input, place } = piece;
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  const write = async (bytes: Uint8Array) => {
    await writer.ready;
    await writer.write(bytes as BufferSource);
  };
  try {
    if (place.window.length > 0) {
      const [byte] = await input.peek(1);
      if (byte !== undefined) {
        await write(deflateStart({ bit: place.bit, byte }, place.window));
        input.drop(1);
      }
    }
    while (true) {
      if (piece.wantsCut) {
        const bytes = await input.peek(SEARCH_BYTES);
        const found = findDeflateBlock(bytes, { from: 8 });
        if (found >= 0) {
          const end = found >>> 3;
          const cut = { byte: bytes[end]!, bit: found & 7 };
          for (let from = 0; from < end; from += STEP_BYTES) {
            await write(bytes.slice(from, Math.min(end, from + STEP_BYTES)));
          }
          input.drop(end);
          await write(deflateEnd(cut));
          piece.cut = { at: input.at, bit: cut.bit };
          break;
        }
        piece.failures++;
        piece.wantsCut = false;
      }
      const bytes = await input.peek(1);
      if (bytes.length === 0) break;
      const step = bytes.slice(0, STEP_BYTES);
      input.drop(step.length);
      await write(step);
    }
    await writer.close();
  } catch (error) {
    piece.fault = input.fault;
    await writer.abort(error).catch(() => {});
  }
}

/** The compressed bytes, with a look ahead. */
class Input {
  fault: { error: unknown } | null = null;
  readonly #chunks: AsyncGenerator<Uint8Array, void, void>;
  #bytes: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(chunks: AsyncGenerator<Uint8Array, void, void>, public at: number) {
    this.#chunks = chunks;
  }

  /** At least so many of the bytes that come next, or all there are; valid until the next call. */
  async peek(count: number): Promise<Uint8Array> {
    const parts = [this.#bytes];
    let length = this.#bytes.length;
    while (length < count && !this.#ended) {
      const next = await this.#chunks.next().catch((error) => {
        this.fault = { error };
        throw error;
      });
      if (next.done) this.#ended = true;
      else {
        parts.push(next.value);
        length += next.value.length;
      }
    }
    if (parts.length > 1) this.#bytes = joined(parts, length);
    return this.#bytes;
  }

  drop(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
    this.at += count;
  }
}

/** The last inflated bytes; keeps the chunks they are in and copies them when asked for. */
class Tail {
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(window: Uint8Array | undefined) {
    if (window) this.add(window);
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length - this.#chunks[0]!.length >= WINDOW_BYTES) {
      this.#length -= this.#chunks.shift()!.length;
    }
  }

  bytes(): Uint8Array {
    return joined(this.#chunks, this.#length).slice(-WINDOW_BYTES);
  }
}

function joined(parts: Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
