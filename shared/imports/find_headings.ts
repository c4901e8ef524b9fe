/**
 * Finds the row that holds the headings: the one that was named, or the row near the top with the most cells that are
 * headings of the dataset. Lists often start below a title and a date.
 */
import { LongshoreError } from "../errors.ts";
import type { Cell, RowBatch } from "../formats/reader.ts";
import type { Dataset } from "./dataset.ts";
import { countHeadings } from "./match_columns.ts";
import { storableText } from "../text/storable_text.ts";

/** How many rows from the top are looked at. */
const NEAR_THE_TOP = 30;

export interface FindHeadingsOptions {
  /** The row's number as a spreadsheet shows it, where it was given. */
  headerRow?: number | undefined;
  /** Headings of a given mapping. */
  given?: Iterable<string>;
}

export interface Headings {
  rowNumber: number;
  /** Trimmed; "" where a column has none. */
  headings: string[];
}

export function findHeadings(
  dataset: Dataset,
  batch: RowBatch<unknown>,
  options: FindHeadingsOptions = {},
): Headings {
  const { headerRow } = options;
  if (headerRow !== undefined) {
    const index = batch.rowNumbers.indexOf(headerRow);
    if (index >= 0) return { rowNumber: headerRow, headings: texts(batch.rows[index]!) };
    throw new LongshoreError(
      "missing_columns",
      `Cannot find headings in row ${headerRow}: found the row empty`,
      {
        details: { header_row: headerRow },
      },
    );
  }

  const given = [...options.given ?? []];
  let best = 0;
  let bestCount = 0;
  for (let index = 0; index < Math.min(batch.rows.length, NEAR_THE_TOP); index++) {
    const count = countHeadings(dataset, texts(batch.rows[index]!), given);
    if (count > bestCount) [best, bestCount] = [index, count];
  }
  // With no heading anywhere the first row stands for the headings, so that the error can say what was found.
  return { rowNumber: batch.rowNumbers[best]!, headings: texts(batch.rows[best]!) };
}

function texts(cells: Cell[]): string[] {
  const headings = cells.map((cell) => cell === null ? "" : storableText(String(cell)).trim());
  while (headings.at(-1) === "") headings.pop();
  return headings;
}
