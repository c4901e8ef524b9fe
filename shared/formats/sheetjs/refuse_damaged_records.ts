/**
 * Refuses a part of a .xlsb workbook with records that reach beyond its end, texts that reach beyond their record, or places
 * beyond the format's limits, as damaged ones do: SheetJS would count up to them, for minutes. Looks at nothing else.
 */
import { LongshoreError } from "../../errors.ts";

const MAX_ROW = 1_048_575;
const MAX_COLUMN = 16_383;

/** By the number of a record: what its first fields of 32 bits must not exceed. */
const LIMITS = new Map<number, number[]>([
  // A row.
  [0, [MAX_ROW]],
  // Cells, from an empty one to the kinds of formulas.
  ...Array.from({ length: 11 }, (_, i): [number, number[]] => [1 + i, [MAX_COLUMN]]),
  // The first and the last of some columns.
  [60, [MAX_COLUMN, MAX_COLUMN]],
  // The sheet's extent, and merged cells.
  [148, [MAX_ROW, MAX_ROW, MAX_COLUMN, MAX_COLUMN]],
  [176, [MAX_ROW, MAX_ROW, MAX_COLUMN, MAX_COLUMN]],
]);

/** By the number of a record: where in it the first text starts, with its length, and how many follow each other. */
const TEXTS = new Map<number, [at: number, count: number]>([
  // Cells with a text, or a formula that gives one; a shared string.
  [6, [8, 1]],
  [8, [8, 1]],
  [17, [4, 1]],
  [19, [1, 1]],
  [62, [9, 1]],
  // A name, a font, a number format, a style.
  [39, [9, 1]],
  [43, [21, 1]],
  [44, [2, 1]],
  [48, [8, 1]],
  // Properties of a sheet and of the workbook, the list of sheets, metadata.
  [147, [19, 1]],
  [153, [8, 1]],
  [156, [8, 2]],
  [335, [8, 1]],
  // Other workbooks, links, drawings, comments.
  [355, [0, 1]],
  [494, [16, 4]],
  [550, [0, 1]],
  [551, [0, 1]],
  [632, [0, 1]],
  [637, [1, 1]],
]);
/** By the number of a record that starts with a count: the bytes of each item. */
const LISTS = new Map([[51, 8], [362, 12]]);
/** By the number of a record with a text in several fonts: where it says so; behind the text their number follows. */
const FONTS = new Map([[19, 0], [62, 8]]);
const NO_TEXT = 0xffffffff;

export function refuseDamagedRecords(part: Uint8Array, name: string): void {
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  let at = 0;
  const number = (most: number) => {
    let value = 0;
    for (let i = 0; i < most && at < part.length; i++) {
      const byte = part[at++]!;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < part.length) {
    const first = part[at++]!;
    const record = first < 0x80 ? first : (first & 0x7f) | ((part[at++] ?? 0) & 0x7f) << 7;
    const length = number(4);
    if (at + length > part.length) throw damaged(name);
    const limits = LIMITS.get(record) ?? [];
    limits.forEach((limit, i) => {
      if (4 * i + 4 > length || view.getUint32(at + 4 * i, true) > limit) throw damaged(name);
    });
    const itemBytes = LISTS.get(record);
    if (itemBytes && length >= 4 && 4 + itemBytes * view.getUint32(at, true) > length) throw damaged(name);
    let [textAt, textCount] = TEXTS.get(record) ?? [0, 0];
    for (; textCount > 0 && textAt + 4 <= length; textCount--) {
      const characters = view.getUint32(at + textAt, true);
      textAt += 4 + (characters === NO_TEXT ? 0 : 2 * characters);
      if (textAt > length) throw damaged(name);
    }
    const fontsAt = FONTS.get(record);
    if (fontsAt !== undefined && fontsAt < length && (part[at + fontsAt]! & 1) !== 0) {
      const fonts = textAt + 4 <= length ? view.getUint32(at + textAt, true) : Infinity;
      if (textAt + 4 + 4 * fonts > length) throw damaged(name);
    }
    at += length;
  }
}

function damaged(name: string): LongshoreError {
  return new LongshoreError(
    "unreadable_file",
    `Cannot open the .xlsb workbook: its part "${name}" is damaged: save it as .xlsx and try again`,
  );
}
