/**
 * The date, time or both in the text of a cell that says of itself that it holds one, in the form that cells have:
 * no time zone, no time at midnight, no fraction that is zero. Null for other texts.
 */

const ISO = /^(?:(\d{4}-\d{2}-\d{2})T?)?(?:(\d{2}:\d{2})(:\d{2})?(\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?$/;

export function isoOfText(text: string): string | null {
  const [, date, time, seconds = ":00", fraction = ""] = ISO.exec(text.trim()) ?? [];
  const fullTime = time && `${time}${seconds}${/[1-9]/.test(fraction) ? fraction : ""}`;
  if (!date) return fullTime ?? null;
  return fullTime && fullTime !== "00:00:00" ? `${date}T${fullTime}` : date;
}
