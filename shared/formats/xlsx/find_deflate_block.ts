/**
 * Where in the middle of a deflate stream a new block starts, as a position in bits: a stream can be inflated from there
 * on by whoever has the 32 KiB before it. Nothing marks such a place, so every bit is tried as the head of a block with
 * codes of its own, and believed when its codes are complete, it runs to an end, and the next block starts there as well.
 * Inflates nothing.
 */

export interface FindDeflateBlockOptions {
  /** The first position that counts, in bits. */
  from: number;
}

/** -1 where there is none within the bytes, of which about two blocks must follow. */
export function findDeflateBlock(bytes: Uint8Array, { from }: FindDeflateBlockOptions): number {
  const bits = new Bits(bytes);
  const last = bytes.length * 8 - LEAST_HEAD_BITS;
  for (let bit = from; bit < last; bit++) {
    // Three bits of type and twice five of sizes rule out nine places in ten.
    const head = bits.peek(bit, 13);
    if ((head & 7) !== DYNAMIC_NOT_LAST || ((head >>> 3) & 31) > 29 || (head >>> 8) > 29) continue;
    if (!isLengthCode(bits, bit + 13)) continue;
    bits.at = bit;
    const codes = readHead(bits);
    if (codes && skipSymbols(bits, codes) && startsBlock(bits)) return bit;
  }
  return -1;
}

const LEAST_HEAD_BITS = 96;
/** A clear bit for "not the last", and the type of a block that brings its codes along. */
const DYNAMIC_NOT_LAST = 4;
const DYNAMIC = 2;
const STORED = 0;
const END_OF_BLOCK = 256;
const LONGEST_CODE = 15;
const ORDER_OF_LENGTHS = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const EXTRA_LENGTH_BITS = [
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  1,
  1,
  1,
  2,
  2,
  2,
  2,
  3,
  3,
  3,
  3,
  4,
  4,
  4,
  4,
  5,
  5,
  5,
  5,
  0,
];

/** What a length takes of a code of 128. */
const SHARES = [0, 64, 32, 16, 8, 4, 2, 1];

/** A Huffman code as the format defines it: how many symbols have each length, and the symbols in order. */
interface Code {
  counts: Uint16Array;
  symbols: Uint16Array;
}

interface BlockCodes {
  literals: Code;
  distances: Code;
}

/** Reads past the end give zeros; `over` tells. */
class Bits {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get over(): boolean {
    return this.at > this.bytes.length * 8;
  }

  peek(at: number, count: number): number {
    const byte = at >>> 3;
    const { bytes } = this;
    const three = bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16);
    return (three >>> (at & 7)) & ((1 << count) - 1);
  }

  take(count: number): number {
    const value = this.peek(this.at, count);
    this.at += count;
    return value;
  }
}

/** Whether the lengths at `at`, three bits each, make a complete code: the cheapest test of a head that tells. */
function isLengthCode(bits: Bits, at: number): boolean {
  let room = 128;
  let left = bits.peek(at, 4) + 4;
  for (at += 4; left > 0; left -= 4, at += 12) {
    const four = bits.peek(at, 3 * Math.min(4, left));
    room -= SHARES[four & 7]! + SHARES[(four >>> 3) & 7]! + SHARES[(four >>> 6) & 7]! + SHARES[four >>> 9]!;
  }
  return room === 0;
}

/** The head of a block with codes of its own, or a block of plain bytes, as encoders put in where they are flushed. */
function startsBlock(bits: Bits): boolean {
  if (bits.peek(bits.at, 3) >>> 1 === DYNAMIC) return readHead(bits) !== null;
  if (bits.take(3) >>> 1 !== STORED) return false;
  bits.at = (bits.at + 7) & ~7;
  const length = bits.take(16);
  return !bits.over && (bits.take(16) ^ length) === 0xffff;
}

/** The codes at the head of a block; null where no encoder would have written them so. */
function readHead(bits: Bits): BlockCodes | null {
  if (bits.take(3) >>> 1 !== DYNAMIC) return null;
  const literalCount = bits.take(5) + 257;
  const distanceCount = bits.take(5) + 1;
  const lengthCount = bits.take(4) + 4;
  if (literalCount > 286 || distanceCount > 30) return null;
  const lengthsOfLengths = new Uint8Array(19);
  if (!isLengthCode(bits, bits.at - 4)) return null;
  for (let i = 0; i < lengthCount; i++) lengthsOfLengths[ORDER_OF_LENGTHS[i]!] = bits.take(3);
  const lengthCode = makeCode(lengthsOfLengths);
  const lengths = new Uint8Array(literalCount + distanceCount);
  for (let i = 0; i < lengths.length;) {
    const symbol = decode(bits, lengthCode);
    if (symbol < 0 || bits.over) return null;
    if (symbol < 16) {
      lengths[i++] = symbol;
      continue;
    }
    if (symbol === 16 && i === 0) return null;
    const repeated = symbol === 16 ? lengths[i - 1]! : 0;
    const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (i + times > lengths.length) return null;
    lengths.fill(repeated, i, i += times);
  }
  const literalLengths = lengths.subarray(0, literalCount);
  const distanceLengths = lengths.subarray(literalCount);
  const usesDistances = distanceLengths.some((length) => length > 1);
  if (literalLengths[END_OF_BLOCK] === 0 || !isComplete(literalLengths)) return null;
  if (usesDistances && !isComplete(distanceLengths)) return null;
  return { literals: makeCode(literalLengths), distances: makeCode(distanceLengths) };
}

function isComplete(lengths: Uint8Array): boolean {
  let room = 1 << LONGEST_CODE;
  for (const length of lengths) {
    if (length > 0) room -= (1 << LONGEST_CODE) >> length;
  }
  return room === 0;
}

function makeCode(lengths: Uint8Array): Code {
  const counts = new Uint16Array(LONGEST_CODE + 1);
  for (const length of lengths) counts[length]!++;
  const next = new Uint16Array(LONGEST_CODE + 1);
  for (let length = 1; length < LONGEST_CODE; length++) next[length + 1] = next[length]! + counts[length]!;
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length > 0) symbols[next[length]!++] = symbol;
  });
  return { counts, symbols };
}

/** -1 where the bits are no symbol. */
function decode(bits: Bits, { counts, symbols }: Code): number {
  let buffer = bits.peek(bits.at, LONGEST_CODE);
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    code |= buffer & 1;
    buffer >>>= 1;
    const count = counts[length]!;
    if (code - count < first) {
      bits.at += length;
      return symbols[index + code - first]!;
    }
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  return -1;
}

/** Whether the block has an end within the bytes. */
function skipSymbols(bits: Bits, { literals, distances }: BlockCodes): boolean {
  while (!bits.over) {
    const symbol = decode(bits, literals);
    if (symbol === END_OF_BLOCK) return !bits.over;
    if (symbol < 0) return false;
    if (symbol < END_OF_BLOCK) continue;
    const extra = EXTRA_LENGTH_BITS[symbol - 257];
    if (extra === undefined) return false;
    bits.at += extra;
    const distance = decode(bits, distances);
    if (distance < 0 || distance > 29) return false;
    if (distance > 3) bits.at += (distance >> 1) - 1;
  }
  return false;
}
