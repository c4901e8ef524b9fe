/**
 * Whether a number format shows a number as a date, a time of day or an elapsed time. Looks at the format alone;
 * what becomes of the number is `dateOfSerial()`'s business.
 */

export type DateFormatKind = "number" | "date" | "time" | "elapsed";

/** What a cell's number format id means when the workbook does not define the id itself. */
export function dateFormatKindOfId(id: number): DateFormatKind {
  // What Thai editions add.
  if ((id >= 71 && id <= 74) || id === 77 || id === 81) return "date";
  if (id === 75 || id === 76 || id === 78 || id === 80) return "time";
  if (id === 79) return "elapsed";
  if ((id >= 14 && id <= 17) || id === 22) return "date";
  if ((id >= 18 && id <= 21) || id === 45 || id === 47) return "time";
  if (id === 46) return "elapsed";
  if ((id >= 27 && id <= 31) || id === 36 || (id >= 50 && id <= 54) || id === 57 || id === 58) return "date";
  if ((id >= 32 && id <= 35) || id === 55 || id === 56) return "time";
  return "number";
}

export function dateFormatKind(format: string): DateFormatKind {
  let bare = "";
  for (let i = 0; i < format.length; i++) {
    const char = format.charAt(i);
    if (char === "\\" || char === "_" || char === "*") i++;
    else if (char === '"' || char === "[") {
      const close = format.indexOf(char === "[" ? "]" : char, i + 1);
      if (close < 0) break;
      if (/^\[(?:h+|m+|s+)\]$/i.test(format.slice(i, close + 1))) return "elapsed";
      i = close;
    } else bare += char;
  }
  bare = bare.replace(/general/gi, "").replace(/AM\/PM|A\/P/gi, "h");
  if (/[yd]/i.test(bare)) return "date";
  // An era and a year of it, and nothing else that is a letter or a digit.
  if (/^[^a-z0#?]*[ge]+[^a-z0#?]*$/i.test(bare)) return "date";
  if (/[hs]/i.test(bare)) return "time";
  return /[mb]/i.test(bare) ? "date" : "number";
}
