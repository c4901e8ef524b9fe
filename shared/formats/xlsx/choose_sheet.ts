/** The sheet that is asked for, or the first one a person sees on opening the workbook. */

import { LongshoreError } from "../../errors.ts";
import { nearestName } from "../../text/nearest_name.ts";
import { shorten } from "../../text/shorten.ts";

/** What is told of a file stays short, whatever the file holds; programs keep to names of 31 characters. */
const MAX_NAMES = 50;
const MAX_NAME_LENGTH = 100;

export interface NamedSheet {
  name: string;
  hidden: boolean;
}

export function chooseSheet<Sheet extends NamedSheet>(sheets: readonly Sheet[], name?: string): Sheet {
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
  const names = sheets.slice(0, MAX_NAMES).map((sheet) => shorten(sheet.name, MAX_NAME_LENGTH));
  const nearest = nearestName(name, names);
  throw new LongshoreError(
    "unknown_sheet",
    `Cannot find the sheet "${shorten(name, MAX_NAME_LENGTH)}": found ${
      names.map((each) => `"${each}"`).join(", ")
    }` +
      (sheets.length > MAX_NAMES ? ` and ${sheets.length - MAX_NAMES} others` : "") +
      (nearest === null ? "" : `; the nearest is "${nearest}"`),
    { details: { sheet: name, sheets: names, nearest } },
  );
}
