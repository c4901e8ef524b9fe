/**
 * Numbers as a sheet writes them, read exactly as `Number()` would. Most need not become a text first: up to 15
 * digits over a power of ten are one division of two exact numbers.
 */

export interface ByteRange {
  start: number;
  end: number;
}

const DOT = 0x2e, MINUS = 0x2d, DIGIT_0 = 0x30;
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i);

/** NaN for anything but a plain decimal number of at most 15 digits; `numberOfText()` knows the rest. */
export function parseShortNumber(bytes: Uint8Array, { start, end }: ByteRange): number {
  const isNegative = bytes[start] === MINUS;
  let digits = 0;
  let decimals = 0;
  let value = 0;
  let seenDot = false;
  for (let p = isNegative ? start + 1 : start; p < end; p++) {
    const digit = bytes[p]! - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      if (++digits > EXACT_DIGITS) return NaN;
      value = value * 10 + digit;
      if (seenDot) decimals++;
    } else if (bytes[p] === DOT && !seenDot) seenDot = true;
    else return NaN;
  }
  if (digits === 0) return NaN;
  if (decimals > 0) value /= POWERS_OF_TEN[decimals]!;
  return isNegative && value !== 0 ? -value : value;
}

/** NaN for what is no decimal number, plain or scientific, or one too large to hold. */
export function numberOfText(text: string): number {
  const value = /^[\d.eE+-]+$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}
