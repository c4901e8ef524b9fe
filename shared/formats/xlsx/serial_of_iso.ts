/**
 * The number by which a workbook stores a date, a time or both, and how it is to be shown. Takes ISO texts and the way
 * Postgres prints them, with a blank for the `T` and an offset from UTC, which is taken off: a workbook knows no time
 * zones. Null for what is no date of that kind, and for dates before March 1900, which spreadsheets count differently
 * from one another.
 */

export type IsoShape = "date" | "datetime" | "time" | "elapsed";

export interface IsoSerial {
  serial: number;
  shape: IsoShape;
}

const UNIX_EPOCH_IN_1900 = 25_569;
const FIRST_SURE_DAY = 61;
/** 9999-12-31. */
const LAST_DAY = 2_958_465;
const DAY_SECONDS = 86_400;
const [DASH, COLON, BLANK, MARK] = [45, 58, 32, 84];
const TIME = /^(\d{2,}):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)(Z|[+-]\d{2}(?::?[0-5]\d)?(?::[0-5]\d)?)?$/;

export function serialOfIso(iso: string): IsoSerial | null {
  const isDated = iso.charCodeAt(4) === DASH && iso.charCodeAt(7) === DASH;
  if (!isDated) {
    const time = secondsOf(iso, { from: 0, mayHaveOffset: false });
    if (time === null) return null;
    return { serial: time / DAY_SECONDS, shape: time < DAY_SECONDS ? "time" : "elapsed" };
  }
  const day = dayOf(iso);
  if (day === null) return null;
  if (iso.length === 10) return isSure(day) ? { serial: day, shape: "date" } : null;
  const mark = iso.charCodeAt(10);
  if (mark !== MARK && mark !== BLANK) return null;
  const time = secondsOf(iso, { from: 11, mayHaveOffset: true });
  if (time === null) return null;
  const serial = day + time / DAY_SECONDS;
  return isSure(Math.floor(serial)) ? { serial, shape: "datetime" } : null;
}

function isSure(day: number): boolean {
  return day >= FIRST_SURE_DAY && day <= LAST_DAY;
}

/** Days as a workbook counts them, of a text that starts like `2025-12-31`. */
function dayOf(iso: string): number | null {
  const century = twoDigits(iso, 0);
  const yearOfCentury = twoDigits(iso, 2);
  const month = twoDigits(iso, 5);
  const day = twoDigits(iso, 8);
  if (!(century >= 0 && yearOfCentury >= 0 && month >= 1 && month <= 12 && day >= 1)) return null;
  const year = century * 100 + yearOfCentury;
  if (day > daysOfMonth(year, month)) return null;
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

/** Of `08:30:15`, with fractions if there are any; UTC where there is an offset. With a date, less than a day before that. */
function secondsOf(
  iso: string,
  { from, mayHaveOffset }: { from: number; mayHaveOffset: boolean },
): number | null {
  if (iso.length === from + 8 && iso.charCodeAt(from + 2) === COLON && iso.charCodeAt(from + 5) === COLON) {
    const [hours, minutes, seconds] = [
      twoDigits(iso, from),
      twoDigits(iso, from + 3),
      twoDigits(iso, from + 6),
    ];
    if (!(hours >= 0 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60)) return null;
    return mayHaveOffset && hours > 23 ? null : hours * 3600 + minutes * 60 + seconds;
  }
  const match = TIME.exec(iso.slice(from));
  if (!match) return null;
  const [, hours, minutes, seconds, offset] = match;
  if (mayHaveOffset ? Number(hours) > 23 : offset !== undefined) return null;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) - offsetSeconds(offset);
}

function offsetSeconds(offset = "Z"): number {
  if (offset === "Z") return 0;
  const digits = offset.replaceAll(/\D/g, "").padEnd(6, "0");
  const seconds = twoDigits(digits, 0) * 3600 + twoDigits(digits, 2) * 60 + twoDigits(digits, 4);
  return offset.startsWith("-") ? -seconds : seconds;
}

/** Not a number where there are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}
