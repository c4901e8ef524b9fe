/** The sheet that is asked for, or the first one a person sees on opening the workbook. */

import { LongshoreError } from "../../errors.ts";
import { nearestName } from "../../text/nearest_name.ts";

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
  const names = sheets.map((sheet) => sheet.name);
  const nearest = nearestName(name, names);
  throw new LongshoreError(
    "unknown_sheet",
    `Cannot find the sheet "${name}": found ${names.map((each) => `"${each}"`).join(", ")}` +
      (nearest === null ? "" : `; the nearest is "${nearest}"`),
    { details: { sheet: name, sheets: names, nearest } },
  );
}
