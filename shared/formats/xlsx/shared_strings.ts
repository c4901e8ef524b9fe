/**
 * Many texts by number, kept compactly: they lie end to end in blocks, with one number for each where it ends, so
 * that a million strings cost their characters and little else. Bounded, as the memory of a worker is.
 */

import { LongshoreError } from "../../errors.ts";

const MAX_POOL_BYTES = 100 * 1024 * 1024;
const BLOCK_BITS = 12;
const BLOCK_STRINGS = 1 << BLOCK_BITS;
/** Strings that were asked for lately are given again instead of being cut out again. */
const RECENT_STRINGS = 8192;

export class SharedStrings {
  #count = 0;
  #blocks: string[] = [];
  #pending: string[] = [];
  #pendingChars = 0;
  #poolBytes = 0;
  /** Where each string ends in its block. */
  #ends = new Uint32Array(BLOCK_STRINGS);
  #recent: string[] = new Array(RECENT_STRINGS).fill("");
  #recentIndex = new Int32Array(RECENT_STRINGS).fill(-1);

  get count(): number {
    return this.#count;
  }

  add(text: string): void {
    if (this.#count === this.#ends.length) {
      const longer = new Uint32Array(2 * this.#count);
      longer.set(this.#ends);
      this.#ends = longer;
    }
    this.#pendingChars += text.length;
    this.#ends[this.#count] = this.#pendingChars;
    this.#count++;
    this.#pending.push(text);
    if (this.#poolBytes + this.#pendingChars > MAX_POOL_BYTES) throw tooLarge();
    if (this.#pending.length === BLOCK_STRINGS) this.#closeBlock();
  }

  /** The string of that number; undefined if there is none. */
  get(index: number): string | undefined {
    if (!(index >= 0 && index < this.#count)) return undefined;
    const slot = index & (RECENT_STRINGS - 1);
    if (this.#recentIndex[slot] === index) return this.#recent[slot];
    const text = this.#cut(index);
    this.#recent[slot] = text;
    this.#recentIndex[slot] = index;
    return text;
  }

  #cut(index: number): string {
    const block = index >> BLOCK_BITS;
    const place = index & (BLOCK_STRINGS - 1);
    if (block === this.#blocks.length) return this.#pending[place] ?? "";
    const start = place === 0 ? 0 : this.#ends[index - 1];
    return this.#blocks[block]?.slice(start, this.#ends[index]) ?? "";
  }

  #closeBlock(): void {
    const text = this.#pending.join("");
    const bytesPerChar = /[\u0100-\uffff]/.test(text) ? 2 : 1;
    this.#blocks.push(text);
    this.#poolBytes += text.length * bytesPerChar + BLOCK_STRINGS * Uint32Array.BYTES_PER_ELEMENT;
    if (this.#poolBytes > MAX_POOL_BYTES) throw tooLarge();
    this.#pending = [];
    this.#pendingChars = 0;
  }
}

function tooLarge(): LongshoreError {
  const limit = MAX_POOL_BYTES / 1024 / 1024;
  return new LongshoreError(
    "file_too_large",
    `Cannot read the workbook: its texts take more than ${limit} MiB of memory, expected less: split it or save it as CSV`,
  );
}
