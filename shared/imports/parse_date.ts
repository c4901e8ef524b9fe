/**
 * A day as people write it → `2025-12-31`. Null where it is no day of the calendar, `"ambiguous"` where day and month
 * could change places and nobody said which comes first.
 */
export type DateOrder = "dmy" | "mdy" | "ymd";

export function parseDate(text: string, order?: DateOrder): string | "ambiguous" | null {
  const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(text);
  if (iso) return day(iso[1]!, iso[2]!, iso[3]!);

  const named = /^(\d{1,2})[-/. ]([a-z]{3,9})\.?[-/. ,]+(\d{2}|\d{4})$/i.exec(text);
  if (named) return day(named[3]!, monthOf(named[2]!), named[1]!);

  const numbers = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{2}|\d{4})$/.exec(text);
  if (!numbers) return null;
  const [, first, mark, second, third] = numbers as unknown as [string, string, string, string, string];
  if (order === "ymd") return third.length === 2 ? day(first, second, third) : null;
  if (order === "mdy") return day(third, first, second);
  // Points separate day, month and year wherever they are used at all.
  if (order === "dmy" || mark === ".") return day(third, second, first);
  if (Number(first) > 12) return day(third, second, first);
  if (Number(second) > 12) return day(third, first, second);
  return first === second ? day(third, second, first) : "ambiguous";
}

/** A moment: a day, then a time, then perhaps a zone; without a zone the database's applies. */
export function parseTimestamp(text: string, order?: DateOrder): string | "ambiguous" | null {
  // No moment is that long, and many spaces in a row would be gone over again and again.
  if (text.length > 100) return null;
  const match = /^(.*?)[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s*(am|pm)?\s*(Z|[-+]\d{2}:?\d{2})?$/i
    .exec(text);
  if (!match) return parseDate(text, order);
  const date = parseDate(match[1]!.trim().replace(/,$/, ""), order);
  if (date === null || date === "ambiguous") return date;
  let hour = Number(match[2]);
  const half = match[6]?.toLowerCase();
  if (half && (hour < 1 || hour > 12)) return null;
  if (half) hour = hour % 12 + (half === "pm" ? 12 : 0);
  if (hour > 23 || Number(match[3]) > 59 || Number(match[4] ?? 0) > 59) return null;
  const time = `${String(hour).padStart(2, "0")}:${match[3]}:${match[4] ?? "00"}${match[5] ?? ""}`;
  return `${date}T${time}${(match[7] ?? "").toUpperCase()}`;
}

function day(year: string, month: string, date: string): string | null {
  const y = year.length === 2 ? Number(year) + (Number(year) < 70 ? 2000 : 1900) : Number(year);
  const m = Number(month);
  const d = Number(date);
  if (m < 1 || m > 12 || d < 1 || d > new Date(Date.UTC(y < 100 ? y + 400 : y, m, 0)).getUTCDate()) {
    return null;
  }
  return `${String(y).padStart(4, "0")}-${String(m).padStart(2, "0")}-${String(d).padStart(2, "0")}`;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

function monthOf(name: string): string {
  return String(MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1);
}
