/**
 * Numbers as a sheet writes them, read exactly as `Number()` would, and without becoming a text first: up to 15 digits
 * over a power of ten are one division of two exact numbers, and the 17 digits that Excel writes are one with the
 * rounding error worked out.
 */

export interface ByteRange {
  start: number;
  end: number;
}

const DOT = 0x2e, MINUS = 0x2d, PLUS = 0x2b, DIGIT_0 = 0x30, BIG_E = 0x45, SMALL_E = 0x65;
/** Of these any number is exact. */
const EXACT_DIGITS = 15;
const MAX_DIGITS = 19;
/** The powers of ten that are exact. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const MAX_EXPONENT_DIGITS = 3;
/** Splits a number into two halves of 26 bits. */
const SPLITTER = 2 ** 27 + 1;
/** Wider than the error of the error. */
const DOUBT = 1 + 2 ** -20;

/** NaN for what is no plain or scientific number, and for the few that take more than this; `numberOfText()` knows them. */
export function parseShortNumber(bytes: Uint8Array, { start, end }: ByteRange): number {
  const isNegative = bytes[start] === MINUS;
  let p = isNegative ? start + 1 : start;
  const first = p;
  /** The first 15 digits that count, and those behind them. */
  let upper = 0;
  let lower = 0;
  let count = 0;
  let dot = 0;
  let byte = 0;
  for (; p < end; p++) {
    byte = bytes[p]!;
    const digit = byte - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      if (count < EXACT_DIGITS) upper = upper * 10 + digit;
      else lower = lower * 10 + digit;
      // Zeros in front count for nothing.
      if (count > 0 || digit > 0) count++;
    } else if (byte === DOT && dot === 0) dot = p + 1;
    else break;
  }
  if (p - first === (dot > 0 ? 1 : 0) || count > MAX_DIGITS) return NaN;
  let exponent = dot > 0 ? dot - p : 0;
  if (p < end) {
    if (byte !== BIG_E && byte !== SMALL_E) return NaN;
    exponent += parseExponent(bytes, p + 1, end);
  }
  const value = scaled({ upper, lower, lowerDigits: Math.max(0, count - EXACT_DIGITS), exponent });
  return isNegative && value !== 0 ? -value : value;
}

function parseExponent(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS;
  let p = isNegative || bytes[start] === PLUS ? start + 1 : start;
  if (p >= end || end - p > MAX_EXPONENT_DIGITS) return NaN;
  let value = 0;
  for (; p < end; p++) {
    const digit = bytes[p]! - DIGIT_0;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}

interface Digits {
  upper: number;
  lower: number;
  lowerDigits: number;
  exponent: number;
}

function scaled({ upper, lower, lowerDigits, exponent }: Digits): number {
  if (upper === 0) return Number.isNaN(exponent) ? NaN : 0;
  const power = POWERS_OF_TEN[Math.abs(exponent)];
  if (power === undefined) return NaN;
  if (lowerDigits === 0) return exponent < 0 ? upper / power : upper * power;
  // All digits as the sum of two numbers, of which the second is the rounding error of the first.
  const shift = POWERS_OF_TEN[lowerDigits]!;
  const product = upper * shift;
  const productError = errorOfProduct(upper, shift, product);
  const high = product + (productError + lower);
  const low = productError + lower - (high - product);
  if (exponent === 0) return high;
  if (exponent > 0) return NaN;
  const quotient = high / power;
  const back = quotient * power;
  const rest = high - back - errorOfProduct(quotient, power, back) + low;
  const correction = rest / power;
  const value = quotient + correction;
  const error = correction - (value - quotient);
  // So near to the middle of two numbers that the error's own error would decide.
  return value + error * DOUBT === value ? value : NaN;
}

/** What a product is short of, exactly (Dekker). */
function errorOfProduct(a: number, b: number, product: number): number {
  const aSplit = a * SPLITTER;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = b * SPLITTER;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** NaN for what is no decimal number, plain or scientific, or one too large to hold. */
export function numberOfText(text: string): number {
  const value = /^[\d.eE+-]+$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}
