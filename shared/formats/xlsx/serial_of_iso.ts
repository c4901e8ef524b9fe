/**
 * The number by which a workbook stores a date, a time or both, and how it is to be shown. Null for what is no
 * date in ISO form, and for dates before March 1900, which spreadsheets count differently from one another.
 */

export type IsoShape = "date" | "datetime" | "time" | "elapsed";

export interface IsoSerial {
  serial: number;
  shape: IsoShape;
}

const DAY_MS = 86_400_000;
const UNIX_EPOCH_IN_1900 = 25_569;
const FIRST_SURE_DAY = 61;
const PARTS = /^(?:(\d{4})-(\d{2})-(\d{2}))?(T(?=.))?(?:(\d{2,}):([0-5]\d):([0-5]\d)(\.\d{1,3})?)?$/;

export function serialOfIso(iso: string): IsoSerial | null {
  const match = PARTS.exec(iso);
  if (!match || iso === "") return null;
  const [, year, month, day, mark, hours, minutes, seconds, fraction = "0"] = match;
  const time = hours === undefined
    ? 0
    : (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(fraction)) / 86_400;
  if (year === undefined) {
    return mark !== undefined ? null : { serial: time, shape: time < 1 ? "time" : "elapsed" };
  }
  if ((mark !== undefined) !== (hours !== undefined) || time >= 1) return null;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const days = ms / DAY_MS + UNIX_EPOCH_IN_1900;
  const isReal = new Date(ms).toISOString().startsWith(`${year}-${month}-${day}`);
  if (!isReal || days < FIRST_SURE_DAY) return null;
  return { serial: days + time, shape: mark === undefined ? "date" : "datetime" };
}
