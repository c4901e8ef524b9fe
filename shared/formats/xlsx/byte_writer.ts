/**
 * Bytes that are written one after the other, into memory that grows when it has to. The few that come again and again
 * are kept as words: four bytes a step, where a call of `set()` would cost more than the copying.
 */

/** ASCII text that is written often. */
export interface Snippet {
  words: Int32Array;
  /** Bytes of the words that count. */
  length: number;
}

export function snippet(text: string): Snippet {
  const words = new Int32Array(Math.ceil(text.length / WORD_BYTES));
  new TextEncoder().encodeInto(text, new Uint8Array(words.buffer));
  return { words, length: text.length };
}

const WORD_BYTES = 4;
const ZERO = 48;

export class ByteWriter {
  /** What was written, up to `length`. Larger ones take its place, so nobody keeps it across `makeRoom()`. */
  bytes: Uint8Array;
  length = 0;
  #view: DataView;

  constructor(startBytes: number) {
    this.bytes = new Uint8Array(startBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Every other method writes into room that was made before. */
  makeRoom(count: number): void {
    const needed = this.length + count + WORD_BYTES;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(needed * 2);
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  put({ words, length }: Snippet): void {
    const view = this.#view;
    const at = this.length;
    for (let i = 0; i < words.length; i++) view.setInt32(at + i * WORD_BYTES, words[i]!, true);
    this.length = at + length;
  }

  putAscii(text: string): void {
    const { bytes, length } = this;
    for (let i = 0; i < text.length; i++) bytes[length + i] = text.charCodeAt(i);
    this.length = length + text.length;
  }

  putText(text: string): void {
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** A whole number that is not negative. */
  putWhole(value: number): void {
    let count = 1;
    for (let next = 10; next <= value; next *= 10) count++;
    this.putDigits(value, count);
  }

  /** The same in so many digits. */
  putDigits(value: number, count: number): void {
    const { bytes, length } = this;
    for (let i = length + count - 1; i >= length; i--) {
      const tens = Math.floor(value / 10);
      bytes[i] = ZERO + value - tens * 10;
      value = tens;
    }
    this.length = length + count;
  }

  /** The bytes that were written since the last call; valid until the next are. */
  take(): Uint8Array {
    const bytes = this.bytes.subarray(0, this.length);
    this.length = 0;
    return bytes;
  }
}

const encoder = new TextEncoder();
