/**
 * The checksum of zip entries, to be carried on from chunk to chunk. Own code, since `crc32()` of `node:zlib` is
 * missing or broken in the runtimes this must run on. Eight bytes a step ("slicing by eight").
 */

const POLYNOMIAL = 0xedb88320;
const SLICES = 8;
const TABLE = makeTable();

export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  const end = bytes.length;
  const slicedEnd = end - end % SLICES;
  let p = 0;
  while (p < slicedEnd) {
    crc ^= bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24);
    crc = TABLE[1792 + (crc & 0xff)]! ^ TABLE[1536 + ((crc >>> 8) & 0xff)]! ^
      TABLE[1280 + ((crc >>> 16) & 0xff)]! ^ TABLE[1024 + (crc >>> 24)]! ^
      TABLE[768 + bytes[p + 4]!]! ^ TABLE[512 + bytes[p + 5]!]! ^
      TABLE[256 + bytes[p + 6]!]! ^ TABLE[bytes[p + 7]!]!;
    p += SLICES;
  }
  for (; p < end; p++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[p]!) & 0xff]!;
  return ~crc >>> 0;
}

/** For each byte, how it changes the checksum when 0 to 7 further bytes follow in the same step. */
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
