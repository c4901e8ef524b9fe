/**
 * What makes the middle of a deflate stream a stream of its own, as any inflater takes it: bits before it, that bring
 * back the 32 KiB it may refer to and end where within a byte the middle starts; and bits behind it, that end it. Works
 * on places between blocks; finding them is not its business.
 */

/** How far back a deflate stream may refer, in bytes. */
export const WINDOW_BYTES = 32 * 1024;

export interface DeflateCut {
  /** Bits of the byte that belong to the stream before the cut, 0 to 7. */
  bit: number;
  /** The byte that the cut goes through. */
  byte: number;
}

/** Stands before a stream that goes on behind the cut, whose byte it holds; inflates to the window. */
export function deflateStart({ bit, byte }: DeflateCut, window: Uint8Array): Uint8Array {
  const bits = new BitWriter();
  bits.put(STORED, 3);
  bits.align();
  bits.put(window.length, 16);
  bits.put(~window.length & 0xffff, 16);
  const before = bits.finish();
  const gap = new BitWriter();
  // Empty blocks, which inflate to nothing: one of 93 bits makes the place odd, each of 10 bits moves it by two.
  if (bit % 2 === 1) putEmptyBlock(gap);
  while (gap.bit !== bit) gap.put(EMPTY_FIXED, 10);
  gap.put(byte >>> bit, 8 - bit);
  return joined([before, window, gap.finish()]);
}

/** Stands behind a stream up to the cut, in place of the byte that it goes through. */
export function deflateEnd({ bit, byte }: DeflateCut): Uint8Array {
  const bits = new BitWriter();
  bits.put(byte & ((1 << bit) - 1), bit);
  bits.put(EMPTY_FIXED | 1, 10);
  return bits.finish();
}

/** A block of bytes as they are, not the last one. */
const STORED = 0;
/** Not the last block, fixed codes, and at once the end of the block; with the lowest bit set it is the last. */
const EMPTY_FIXED = 2;

/** Codes for 18 (a run of zeros) and 1 of one bit each; 256 literals without a code, one for the end, one distance. */
function putEmptyBlock(bits: BitWriter): void {
  bits.put(4, 3);
  bits.put(0, 5);
  bits.put(0, 5);
  bits.put(15, 4);
  for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]) {
    bits.put(symbol === 18 || symbol === 1 ? 1 : 0, 3);
  }
  const ONE = 0, ZEROS = 1;
  for (const zeros of [138, 118]) {
    bits.put(ZEROS, 1);
    bits.put(zeros - 11, 7);
  }
  bits.put(ONE, 1);
  bits.put(ONE, 1);
  const END_OF_BLOCK = 0;
  bits.put(END_OF_BLOCK, 1);
}

class BitWriter {
  readonly #bytes: number[] = [];
  #byte = 0;
  /** Bits of the last byte that are taken. */
  bit = 0;

  /** The lowest bit first. */
  put(value: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#byte |= ((value >>> i) & 1) << this.bit;
      if (++this.bit === 8) this.align();
    }
  }

  align(): void {
    if (this.bit === 0) return;
    this.#bytes.push(this.#byte);
    this.#byte = 0;
    this.bit = 0;
  }

  finish(): Uint8Array {
    this.align();
    return Uint8Array.from(this.#bytes);
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
