/**
 * The date, time or both that a workbook's number stands for, as an ISO text without a time zone. A whole number
 * has no time part; a number below one is a time of day; elapsed times may exceed 24 hours. Null where the number
 * is no date that a spreadsheet would show.
 */

import type { DateFormatKind } from "./date_format_kind.ts";

export interface DateOfSerialOptions {
  kind: Exclude<DateFormatKind, "number">;
  is1904: boolean;
}

const DAY_MS = 86_400_000;
/** 9999-12-31, counted from 1900. */
const LAST_DAY = 2_958_465;
const DAYS_1904_AFTER_1900 = 1462;
const UNIX_EPOCH_IN_1900 = 25_569;

export function dateOfSerial(serial: number, { kind, is1904 }: DateOfSerialOptions): string | null {
  if (!(serial >= 0)) return null;
  let days = Math.floor(serial);
  let ms = Math.round((serial - days) * DAY_MS);
  if (ms === DAY_MS) {
    days++;
    ms = 0;
  }
  if (days > LAST_DAY) return null;
  if (kind === "elapsed") return timeText(days * DAY_MS + ms);
  if (days === 0 && (kind === "time" || !is1904)) return timeText(ms);
  const date = dateText(days, is1904);
  if (date === null) return null;
  return ms === 0 ? date : `${date}T${timeText(ms)}`;
}

/** In the 1900 system day 60 is 1900-02-29, which never was; days before it are one further than they count. */
function dateText(days: number, is1904: boolean): string | null {
  let since1900 = days;
  if (is1904) since1900 += DAYS_1904_AFTER_1900;
  else if (days === 60) return "1900-02-29";
  else if (days < 60) since1900++;
  return since1900 > LAST_DAY ? null : textOfDay(since1900);
}

/** Times of the same days come again and again, and making a text of a day takes a while. */
function textOfDay(day: number): string {
  let text = textsOfDays.get(day);
  if (text === undefined) {
    if (textsOfDays.size >= KEPT_DAYS) textsOfDays.clear();
    text = new Date((day - UNIX_EPOCH_IN_1900) * DAY_MS).toISOString().slice(0, 10);
    textsOfDays.set(day, text);
  }
  return text;
}

const KEPT_DAYS = 10_000;
const textsOfDays = new Map<number, string>();

/** Milliseconds appear only where there are any. */
function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const text = `${twoDigits(hours)}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}`;
  return ms % 1000 === 0 ? text : `${text}.${String(ms % 1000).padStart(3, "0")}`;
}

function twoDigits(value: number): string {
  return TWO_DIGITS[value] ?? String(value);
}

const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, "0"));
