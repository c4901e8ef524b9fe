/** The sheet that is asked for, or the first one a person sees on opening the workbook. */

import { LongshoreError } from "../../errors.ts";
import type { Worksheet } from "./read_workbook.ts";

export function chooseSheet(sheets: Worksheet[], name?: string): Worksheet {
  const [first] = sheets;
  if (!first) {
    throw new LongshoreError(
      "unreadable_file",
      "Cannot read the workbook: found no worksheet, expected at least one",
    );
  }
  if (name === undefined) return sheets.find((sheet) => !sheet.hidden) ?? first;
  const found = sheets.find((sheet) => sheet.name === name) ??
    sheets.find((sheet) => sheet.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const names = sheets.map((sheet) => sheet.name);
  const nearest = nearestName(names, name);
  throw new LongshoreError(
    "unknown_sheet",
    `Cannot find the sheet "${name}": found ${
      names.map((each) => `"${each}"`).join(", ")
    }; the nearest is "${nearest}"`,
    { details: { sheet: name, sheets: names, nearest } },
  );
}

function nearestName(names: string[], wanted: string): string | undefined {
  const distances = names.map((name) => editDistance(name.toLowerCase(), wanted.toLowerCase()));
  return names[distances.indexOf(Math.min(...distances))];
}

/** Insertions, deletions and replacements that turn one text into the other; sheet names have at most 31 letters. */
function editDistance(a: string, b: string): number {
  const wanted = b.slice(0, 64);
  let row = Array.from({ length: wanted.length + 1 }, (_, i) => i);
  for (let i = 1; i <= Math.min(a.length, 64); i++) {
    const next = [i];
    for (let j = 1; j <= wanted.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === wanted[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[wanted.length]!;
}
