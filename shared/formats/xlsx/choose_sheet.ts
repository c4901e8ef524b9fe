/** The sheet that is asked for, or the first one a person sees on opening the workbook. */

import { LongshoreError } from "../../errors.ts";
import { nearestName } from "../../text/nearest_name.ts";

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
  const names = sheets.slice(0, MAX_NAMES).map((sheet) => shortened(sheet.name));
  const nearest = nearestName(name, names);
  throw new LongshoreError(
    "unknown_sheet",
    `Cannot find the sheet "${shortened(name)}": found ${names.map((each) => `"${each}"`).join(", ")}` +
      (sheets.length > MAX_NAMES ? ` and ${sheets.length - MAX_NAMES} others` : "") +
      (nearest === null ? "" : `; the nearest is "${nearest}"`),
    { details: { sheet: name, sheets: names, nearest } },
  );
}

/** Programs keep to 31 characters; what is told of a file stays short, whatever the file holds. */
function shortened(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH - 1).toWellFormed()}…` : name;
}
