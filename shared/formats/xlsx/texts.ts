/**
 * Many texts by number, kept compactly: large blocks of characters in which one text follows the other, and for each
 * where it ends, so that a million strings are no million objects.
 */

interface Block {
  /** The number of its first text. */
  first: number;
  characters: string;
  /** Of each text, in its characters. */
  ends: Uint32Array;
}

export class Texts {
  readonly #blocks: Block[] = [];
  #count = 0;
  #bytes = 0;
  /** Of the block that is being added. */
  #ends: Uint32Array = new Uint32Array(1024);
  #added = 0;
  /** The block that was asked for last. */
  #last = 0;

  get count(): number {
    return this.#count;
  }

  /** The memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A block which the texts that `addText()` adds from now on are in; one that is not ended counts for nothing. */
  beginBlock(): void {
    this.#added = 0;
  }

  addText(end: number): void {
    if (this.#added === this.#ends.length) {
      const more = new Uint32Array(2 * this.#ends.length);
      more.set(this.#ends);
      this.#ends = more;
    }
    this.#ends[this.#added++] = end;
  }

  endBlock(characters: string): void {
    if (this.#added === 0) return;
    const ends = this.#ends.slice(0, this.#added);
    this.#blocks.push({ first: this.#count, characters, ends });
    this.#count += this.#added;
    this.#bytes += memoryOf(characters) + ends.byteLength;
  }

  get(index: number): string {
    const { first, characters, ends } = this.#blocks[this.#blockOf(index)]!;
    const at = index - first;
    return characters.slice(at === 0 ? 0 : ends[at - 1], ends[at]);
  }

  /** The last block whose first text is not behind `index`: usually the one before, else by halving. */
  #blockOf(index: number): number {
    const blocks = this.#blocks;
    const { first, ends } = blocks[this.#last]!;
    if (index >= first && index < first + ends.length) return this.#last;
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (blocks[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return this.#last = low;
  }
}

/** The engine keeps a string at one byte for a character unless one of them needs two. */
function memoryOf(characters: string): number {
  return characters.length * (/[\u0100-\uffff]/.test(characters) ? 2 : 1);
}
