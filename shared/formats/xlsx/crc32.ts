/**
 * The checksum of zip entries, to be carried on from chunk to chunk. Own code, since `crc32()` of `node:zlib` is
 * missing or broken in the runtimes this must run on. Sixteen bytes a step ("slicing by sixteen"), read as four
 * words: processors that JavaScript runs on have the lowest byte first.
 */

const POLYNOMIAL = 0xedb88320;
const SLICES = 16;
const TABLE = makeTable();

export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  const end = bytes.length;
  let p = 0;
  // Words lie at multiples of four.
  while (p < end && ((bytes.byteOffset + p) & 3) !== 0) {
    crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[p++]!) & 0xff]!;
  }
  const words = new Int32Array(bytes.buffer, p < end ? bytes.byteOffset + p : 0, (end - p) >>> 2);
  const wordsEnd = words.length & ~3;
  for (let i = 0; i < wordsEnd; i += 4) {
    const a = crc ^ words[i]!;
    const b = words[i + 1]!;
    const c = words[i + 2]!;
    const d = words[i + 3]!;
    crc = TABLE[3840 + (a & 0xff)]! ^ TABLE[3584 + ((a >>> 8) & 0xff)]! ^
      TABLE[3328 + ((a >>> 16) & 0xff)]! ^ TABLE[3072 + (a >>> 24)]! ^
      TABLE[2816 + (b & 0xff)]! ^ TABLE[2560 + ((b >>> 8) & 0xff)]! ^
      TABLE[2304 + ((b >>> 16) & 0xff)]! ^ TABLE[2048 + (b >>> 24)]! ^
      TABLE[1792 + (c & 0xff)]! ^ TABLE[1536 + ((c >>> 8) & 0xff)]! ^
      TABLE[1280 + ((c >>> 16) & 0xff)]! ^ TABLE[1024 + (c >>> 24)]! ^
      TABLE[768 + (d & 0xff)]! ^ TABLE[512 + ((d >>> 8) & 0xff)]! ^
      TABLE[256 + ((d >>> 16) & 0xff)]! ^ TABLE[d >>> 24]!;
  }
  for (p += wordsEnd * 4; p < end; p++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[p]!) & 0xff]!;
  return ~crc >>> 0;
}

/** For each byte, how it changes the checksum when 0 to 15 further bytes follow in the same step. */
function makeTable(): Int32Array {
  const table = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const shorter = table[i - 256]!;
    table[i] = (shorter >>> 8) ^ table[shorter & 0xff]!;
  }
  return table;
}
