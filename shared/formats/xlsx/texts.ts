/**
 * Many texts by number, kept compactly: large blocks of characters, and for each text where in its block it starts
 * and ends, so that a million strings are no million objects.
 */

const POSITION_BYTES = 2 * Uint32Array.BYTES_PER_ELEMENT;

export class Texts {
  #count = 0;
  #blocks: string[] = [];
  /** The number of the first text of each block. */
  #firsts: number[] = [];
  #starts: Uint32Array = new Uint32Array(1024);
  #ends: Uint32Array = new Uint32Array(1024);
  #blockBytes = 0;

  get count(): number {
    return this.#count;
  }

  /** The memory they take. */
  get bytes(): number {
    return this.#blockBytes + this.#starts.length * POSITION_BYTES;
  }

  /** A block in which the texts that `addText()` adds from now on lie. */
  addBlock(characters: string): void {
    this.#blockBytes += memoryOf(characters);
    this.#blocks.push(characters);
    this.#firsts.push(this.#count);
  }

  /** Takes the last block back, with its texts. */
  dropBlock(): void {
    this.#blockBytes -= memoryOf(this.#blocks.pop() ?? "");
    this.#count = this.#firsts.pop() ?? 0;
  }

  addText(start: number, end: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = longer(this.#starts);
      this.#ends = longer(this.#ends);
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#count++;
  }

  get(index: number): string {
    const block = this.#blocks[this.#blockOf(index)] ?? "";
    return block.slice(this.#starts[index], this.#ends[index]);
  }

  /** By halving: the last block whose first text is not behind `index`. */
  #blockOf(index: number): number {
    let low = 0;
    let high = this.#firsts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#firsts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The engine keeps a string at one byte for a character unless one of them needs two. */
function memoryOf(characters: string): number {
  return characters.length * (/[\u0100-\uffff]/.test(characters) ? 2 : 1);
}

function longer(numbers: Uint32Array): Uint32Array {
  const more = new Uint32Array(Math.ceil(1.5 * numbers.length));
  more.set(numbers);
  return more;
}
