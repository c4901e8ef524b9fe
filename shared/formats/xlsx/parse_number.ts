/**
 * The number written in a range of bytes, exactly as `Number()` reads it, mostly without making a text of it: up
 * to 15 digits over a power of ten are one division of two exact numbers. NaN for anything but a plain or
 * scientific decimal number.
 */

export interface ByteRange {
  start: number;
  end: number;
}

const DOT = 0x2e, MINUS = 0x2d, DIGIT_0 = 0x30;
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i);
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export function parseNumber(bytes: Uint8Array, { start, end }: ByteRange): number {
  const isNegative = bytes[start] === MINUS;
  let p = isNegative ? start + 1 : start;
  let digits = 0;
  let decimals = 0;
  let value = 0;
  let seenDot = false;
  for (; p < end && digits <= EXACT_DIGITS; p++) {
    const digit = bytes[p]! - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
      if (seenDot) decimals++;
    } else if (bytes[p] === DOT && !seenDot) seenDot = true;
    else break;
  }
  if (p < end || digits === 0 || digits > EXACT_DIGITS) return parseText(bytes.subarray(start, end));
  if (decimals > 0) value /= POWERS_OF_TEN[decimals]!;
  return isNegative && value !== 0 ? -value : value;
}

function parseText(bytes: Uint8Array): number {
  if (bytes.byteLength > 400) return NaN;
  const text = String.fromCharCode(...bytes).trim();
  const value = DECIMAL.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}
