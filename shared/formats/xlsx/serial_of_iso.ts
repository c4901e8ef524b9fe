/**
 * The number by which a workbook stores a date, a time or both, and how it is to be shown. Takes ISO texts and the way
 * Postgres prints them, with a blank for the `T` and an offset from UTC, which is taken off: a workbook knows no time
 * zones. Null for what is no date of that kind, and for dates before March 1900, which spreadsheets count differently
 * from one another. Works on bytes, as that is what an export comes in.
 */

export type IsoShape = "date" | "datetime" | "time" | "elapsed";

export interface IsoSerial {
  /** Whole days; with the seconds as a share of a day, the number. */
  day: number;
  /** Of that day. */
  seconds: number;
  shape: IsoShape;
}

const UNIX_EPOCH_IN_1900 = 25_569;
const FIRST_SURE_DAY = 61;
/** 9999-12-31. */
const LAST_DAY = 2_958_465;
const DAY_SECONDS = 86_400;
const DASH = 45, PLUS = 43, COLON = 58, POINT = 46, BLANK = 32, MARK = 84, UTC = 90, ZERO = 48;
const DATE_CHARS = 10;
const TIME_CHARS = 8;

export function serialOfIso(bytes: Uint8Array, from: number, to: number): IsoSerial | null {
  const isDated = to - from >= DATE_CHARS && bytes[from + 4] === DASH && bytes[from + 7] === DASH;
  if (!isDated) return timeAlone(bytes, from, to);
  let day = dayOf(bytes, from);
  const timeFrom = from + DATE_CHARS + 1;
  if (timeFrom > to) return isSure(day) ? { day, seconds: 0, shape: "date" } : null;
  const mark = bytes[timeFrom - 1];
  if (mark !== MARK && mark !== BLANK || to - timeFrom < TIME_CHARS) return null;
  const hours = twoDigits(bytes, timeFrom);
  const offsetFrom = endOfFraction(bytes, timeFrom + TIME_CHARS, to);
  let seconds = secondsOf(hours, bytes, timeFrom + 2) + fractionOf(bytes, timeFrom + TIME_CHARS, offsetFrom) -
    offsetOf(bytes, offsetFrom, to);
  if (!(hours < 24) || Number.isNaN(seconds)) return null;
  const days = Math.floor(seconds / DAY_SECONDS);
  day += days;
  seconds -= days * DAY_SECONDS;
  return isSure(day) ? { day, seconds, shape: "datetime" } : null;
}

/** Elapsed times may have any number of hours. */
function timeAlone(bytes: Uint8Array, from: number, to: number): IsoSerial | null {
  let colon = from;
  let hours = 0;
  for (; colon < to && bytes[colon] !== COLON; colon++) hours = hours * 10 + digit(bytes, colon);
  if (colon - from < 2 || to - colon < TIME_CHARS - 2) return null;
  const fractionFrom = colon + TIME_CHARS - 2;
  if (endOfFraction(bytes, fractionFrom, to) !== to) return null;
  const all = secondsOf(hours, bytes, colon) + fractionOf(bytes, fractionFrom, to);
  const day = Math.floor(all / DAY_SECONDS);
  if (!(day <= LAST_DAY)) return null;
  return { day, seconds: all - day * DAY_SECONDS, shape: day === 0 ? "time" : "elapsed" };
}

/** Not a number is not sure. */
function isSure(day: number): boolean {
  return day >= FIRST_SURE_DAY && day <= LAST_DAY;
}

/** Days as a workbook counts them, of what starts like `2025-12-31`. */
function dayOf(bytes: Uint8Array, at: number): number {
  const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month))) return NaN;
  // Years that begin in March have their leap day last.
  const shifted = month > 2 ? year : year - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return shifted * 365 + leapDays + dayOfYear - 719_468 + UNIX_EPOCH_IN_1900;
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Of these hours and of minutes and seconds like `:30:15`. */
function secondsOf(hours: number, bytes: Uint8Array, at: number): number {
  const minutes = twoDigits(bytes, at + 1);
  const seconds = twoDigits(bytes, at + 4);
  if (bytes[at] !== COLON || bytes[at + 3] !== COLON || !(minutes < 60 && seconds < 60)) return NaN;
  return hours * 3600 + minutes * 60 + seconds;
}

/** Where the digits behind a point end; where they would start if there is no point. */
function endOfFraction(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to || bytes[from] !== POINT) return from;
  let end = from + 1;
  while (end < to && digit(bytes, end) >= 0) end++;
  return end;
}

function fractionOf(bytes: Uint8Array, from: number, end: number): number {
  if (from === end) return 0;
  let value = 0;
  for (let i = from + 1; i < end; i++) value = value * 10 + digit(bytes, i);
  return value / 10 ** (end - from - 1);
}

/** `Z`, `+02`, `-0530`, `+05:30` or, from long ago, `+00:53:28`; nothing is UTC. In seconds. */
function offsetOf(bytes: Uint8Array, from: number, to: number): number {
  if (from === to || (to - from === 1 && bytes[from] === UTC)) return 0;
  if (bytes[from] !== PLUS && bytes[from] !== DASH) return NaN;
  let seconds = 0;
  let at = from + 1;
  for (let unit = 3600; at < to && unit >= 1; unit /= 60) {
    if (unit < 3600 && bytes[at] === COLON) at++;
    if (at + 2 > to) return NaN;
    seconds += twoDigits(bytes, at) * unit;
    at += 2;
  }
  if (at !== to || at === from + 1) return NaN;
  return bytes[from] === DASH ? -seconds : seconds;
}

/** Not a number where there are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  return digit(bytes, at) * 10 + digit(bytes, at + 1);
}

function digit(bytes: Uint8Array, at: number): number {
  const value = bytes[at]! - ZERO;
  return value >= 0 && value <= 9 ? value : NaN;
}
