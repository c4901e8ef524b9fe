/**
 * Which encoding a file seems to have, judged by its first bytes: a byte order mark decides; UTF-16 without
 * one shows by its zero bytes; text that is well-formed UTF-8, but for single accidents, is UTF-8; all else
 * is Windows-1252, which is what Excel writes on most machines. Does not look beyond the sample: an ASCII
 * sample counts as UTF-8.
 */

/** The share of code units whose high byte is zero from which text counts as UTF-16. */
const ZERO_SHARE = 0.4;

/** `whole` says that the sample is all of the file, so that a character cut at its end is broken. */
export function detectEncoding(sample: Uint8Array, options: { whole: boolean }): string {
  const [first, second, third] = sample;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return detectUtf16(sample) ?? (isMostlyUtf8(sample, options.whole) ? "utf-8" : "windows-1252");
}

function detectUtf16(sample: Uint8Array): string | null {
  const zeros = [0, 0];
  for (let at = 0; at < sample.length; at++) {
    if (sample[at] === 0) zeros[at % 2]!++;
  }
  const [even, odd] = zeros as [number, number];
  const enough = Math.max(1, sample.length / 2 * ZERO_SHARE);
  if (odd >= enough && even < odd / 10) return "utf-16le";
  if (even >= enough && odd < even / 10) return "utf-16be";
  return null;
}

/**
 * Windows-1252 text has accented letters that are no UTF-8 and practically never a sequence that is, so one
 * broken character among many sound ones is an accident within UTF-8: reading the file as Windows-1252 would
 * ruin them all.
 */
function isMostlyUtf8(sample: Uint8Array, whole: boolean): boolean {
  if (isUtf8(sample, whole)) return true;
  const text = new TextDecoder("utf-8").decode(sample, { stream: !whole });
  let broken = 0;
  let sound = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd) broken++;
    else if (code > 0x7f) sound++;
  }
  return broken * 10 <= sound;
}

function isUtf8(sample: Uint8Array, whole: boolean): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(sample, { stream: !whole });
    return true;
  } catch {
    return false;
  }
}
