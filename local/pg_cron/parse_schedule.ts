/**
 * When a pg_cron job is due. In: `'N seconds'`, a macro such as `@hourly`, or five cron fields (`$` as the day is the last
 * of the month). Out: an interval, or a test for a minute of GMT. Days of month and of week are joined by "or" where both
 * are restricted, as in Vixie cron.
 */

export type Schedule =
  | { everySeconds: number }
  /** Whether the job is due in the minute that `time` lies in. */
  | { isDue(time: Date): boolean };

const MACROS: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DAYS = "sun mon tue wed thu fri sat".split(" ");

export function parseSchedule(text: string): Schedule {
  const seconds = /^([1-9]|[1-5]\d)\s+seconds?$/i.exec(text.trim());
  if (seconds) return { everySeconds: Number(seconds[1]) };

  const fields = (MACROS[text.trim().toLowerCase()] ?? text.trim()).split(/\s+/);
  const [minute, hour, day, month, weekday] = fields;
  if (fields.length !== 5 || !minute || !hour || !day || !month || !weekday) throw unreadable(text);
  const minutes = parseField(minute, { from: 0, to: 59, text });
  const hours = parseField(hour, { from: 0, to: 23, text });
  const lastDay = day.split(",").includes("$");
  const days = parseField(day.split(",").filter((part) => part !== "$").join(",") || "32", {
    from: 1,
    to: 32,
    text,
  });
  const months = parseField(month, { from: 1, to: 12, names: MONTHS, text });
  const weekdays = parseField(weekday, { from: 0, to: 7, names: DAYS, text });
  if (weekdays.has(7)) weekdays.add(0);
  const either = !day.startsWith("*") && !weekday.startsWith("*");

  return {
    isDue(time) {
      const dayIsDue = days.has(time.getUTCDate()) || (lastDay && isLastOfMonth(time));
      const weekdayIsDue = weekdays.has(time.getUTCDay());
      return minutes.has(time.getUTCMinutes()) && hours.has(time.getUTCHours()) &&
        months.has(time.getUTCMonth() + 1) && (either ? dayIsDue || weekdayIsDue : dayIsDue && weekdayIsDue);
    },
  };
}

interface FieldOptions {
  from: number;
  to: number;
  /** Words for the numbers from `from` on. */
  names?: string[];
  /** The whole schedule, for messages. */
  text: string;
}

function parseField(field: string, options: FieldOptions): Set<number> {
  const { from, to, text } = options;
  const numbers = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    if (!match) throw unreadable(text);
    const [, all, first, last, step] = match;
    const low = all ? from : parseNumber(first ?? "", options);
    const high = all || (step && last === undefined)
      ? to
      : last === undefined
      ? low
      : parseNumber(last, options);
    const stride = step === undefined ? 1 : Number(step);
    if (low > high || stride < 1) throw unreadable(text);
    for (let number = low; number <= high; number += stride) numbers.add(number);
  }
  return numbers;
}

function parseNumber(word: string, options: FieldOptions): number {
  const named = options.names?.indexOf(word.toLowerCase()) ?? -1;
  const number = named >= 0 ? options.from + named : Number(word);
  if (Number.isInteger(number) && number >= options.from && number <= options.to) return number;
  throw unreadable(options.text);
}

function isLastOfMonth(time: Date): boolean {
  return new Date(time.getTime() + 24 * 3600_000).getUTCDate() === 1;
}

function unreadable(text: string): SyntaxError {
  return new SyntaxError(
    `Cannot read the schedule "${text}": expected five cron fields or an interval such as "30 seconds"`,
  );
}
