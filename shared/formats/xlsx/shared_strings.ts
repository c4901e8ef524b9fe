/**
 * Many texts by number, kept compactly: large blocks of characters, and for each text where in its block it starts
 * and ends, so that a million strings are no million objects. Bounded, as the memory of a worker is.
 */

import { LongshoreError } from "../../errors.ts";

const MAX_POOL_BYTES = 100 * 1024 * 1024;
const POSITION_BYTES = 2 * Uint32Array.BYTES_PER_ELEMENT;
/** Strings that were asked for lately are given again instead of being cut out again. */
const RECENT_STRINGS = 4096;

export class SharedStrings {
  #count = 0;
  #blocks: string[] = [];
  /** The number of the first text of each block. */
  #firsts: number[] = [];
  #starts: Uint32Array = new Uint32Array(4096);
  #ends: Uint32Array = new Uint32Array(4096);
  #poolBytes = 0;
  #recent: string[] = new Array(RECENT_STRINGS).fill("");
  #recentIndex = new Int32Array(RECENT_STRINGS).fill(-1);

  get count(): number {
    return this.#count;
  }

  /** A block in which the texts that `addText()` adds from now on lie. */
  addBlock(characters: string): void {
    this.#poolBytes += memoryOf(characters);
    this.#blocks.push(characters);
    this.#firsts.push(this.#count);
  }

  /** Takes the last block back, with its texts. */
  dropBlock(): void {
    this.#poolBytes -= memoryOf(this.#blocks.pop() ?? "");
    this.#count = this.#firsts.pop() ?? 0;
  }

  addText(start: number, end: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = doubled(this.#starts);
      this.#ends = doubled(this.#ends);
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#count++;
    if (this.#poolBytes + this.#count * POSITION_BYTES > MAX_POOL_BYTES) {
      throw new LongshoreError(
        "file_too_large",
        `Cannot read the workbook: its texts take more than ${
          MAX_POOL_BYTES >> 20
        } MiB of memory, expected less: ` +
          "split it or save it as CSV",
      );
    }
  }

  /** The string of that number; undefined if there is none. */
  get(index: number): string | undefined {
    if (!(index >= 0 && index < this.#count)) return undefined;
    const slot = index % RECENT_STRINGS;
    if (this.#recentIndex[slot] === index) return this.#recent[slot];
    const text = this.#blockOf(index)?.slice(this.#starts[index], this.#ends[index]);
    if (text === undefined) return undefined;
    this.#recent[slot] = text;
    this.#recentIndex[slot] = index;
    return text;
  }

  /** By halving: the last block whose first text is not behind `index`. */
  #blockOf(index: number): string | undefined {
    let low = 0;
    let high = this.#firsts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#firsts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return this.#blocks[low];
  }
}

/** The engine keeps a string at one byte for a character unless one of them needs two. */
function memoryOf(characters: string): number {
  return characters.length * (/[\u0100-\uffff]/.test(characters) ? 2 : 1);
}

function doubled(numbers: Uint32Array): Uint32Array {
  const longer = new Uint32Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}
