/**
 * Rows of components → a CSV file like the ones people upload: twelve columns, about 87 bytes a row. The same number of
 * rows gives the same file. Mistakes are put where the caller says.
 */

/** What can be wrong with a row. */
export type Mistake =
  | "quantity in words"
  | "negative quantity"
  | "tag of the row before"
  | "unknown area"
  | "no type"
  | "no drawing";

export interface FileOptions {
  rows: number;
  /** What is wrong with the row at a place, from 0. @default nothing */
  mistakeAt?: (place: number) => Mistake | null;
  /** Whether there is the twelfth column, which `pipetrak.components` does not have. @default true */
  remarks?: boolean;
}

/** As many as there are in the file, so that every one of them is known to the project. */
export const AREAS = 20;
export const DRAWINGS = 300;

export const COLUMNS = [
  "tag",
  "description",
  "type",
  "drawing",
  "area",
  "system",
  "test_package",
  "spec",
  "size",
  "quantity",
  "weight_kg",
  "remarks",
];

/** Lines at a time, so that a large file does not have to fit into memory. */
const LINES = 20_000;

export async function makeFile(
  path: string,
  { rows, mistakeAt = () => null, remarks = true }: FileOptions,
): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  let text = (remarks ? COLUMNS : COLUMNS.slice(0, -1)).join(",") + "\n";
  for (let place = 0; place < rows; place++) {
    text += line(place, mistakeAt(place)) + (remarks ? `,see note ${place % 7}\n` : "\n");
    if (place % LINES === LINES - 1 || place === rows - 1) {
      await writer.write(encoder.encode(text));
      text = "";
    }
  }
  await writer.close();
}

/** One row in a hundred, each mistake as often as the others. */
export function oneInAHundred(mistakes: readonly Mistake[]): (place: number) => Mistake | null {
  return (place) => place % 100 === 7 ? mistakes[Math.floor(place / 100) % mistakes.length]! : null;
}

/** Every row, each mistake as often as the others. */
export function everyRow(mistakes: readonly Mistake[]): (place: number) => Mistake {
  return (place) => mistakes[place % mistakes.length]!;
}

function line(place: number, mistake: Mistake | null): string {
  const tag = `SP-${10_000_000 + place - (mistake === "tag of the row before" ? 1 : 0)}-A`;
  const type = mistake === "no type" ? "" : "spool";
  const drawing = mistake === "no drawing" ? "" : `ISO-${place % DRAWINGS + 1}`;
  const area = mistake === "unknown area" ? `B-${place % AREAS}` : `A-${place % AREAS}`;
  const quantity = mistake === "quantity in words" ? "twelve" : mistake === "negative quantity" ? "-5" : "1";
  return `${tag},Carbon steel spool,${type},${drawing},${area},CW-0${place % 9},TP-0${
    place % 50
  },A1A,4,${quantity},${place % 900}.5`;
}
