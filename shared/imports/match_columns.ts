/**
 * Which column of the file is which column of the dataset. A mapping that was given wins; then name, title and
 * synonyms, whatever their case and punctuation; then headings that are misspelt by a letter or two. Whatever is left
 * is ignored. Two headings for one column, or a mapping that names nothing, are refused. Where no cell of the row is a heading
 * of the dataset, the row may be the first one of somebody's data: then no refusal repeats it.
 */
import { LongshoreError } from "../errors.ts";
import type { Column, Dataset } from "./dataset.ts";
import { editDistance, nearestName } from "../text/nearest_name.ts";

/** Headings of the file problems.csv that an import adds; a corrected file still has them. */
export const PROBLEM_HEADINGS = ["problem_row", "problem_codes", "problem_messages"] as const;

export interface ColumnMatch {
  /** By place in the dataset's columns: the place in the file, or null. */
  fileIndex: (number | null)[];
  /** For a person: `{ "Line No": "tag" }`. */
  mapped: Record<string, string>;
  ignored: string[];
  /** Names of the dataset's columns that the file does not have. */
  missing: string[];
}

export interface MatchOptions {
  /** Heading → column, or null to leave the heading out. */
  columns?: Record<string, string | null> | undefined;
  /** Columns that must be there, by name. */
  required: readonly string[];
}

export function matchColumns(
  dataset: Dataset,
  headings: readonly string[],
  options: MatchOptions,
): ColumnMatch {
  const places = new Map(dataset.columns.map((column, place) => [column.name, place]));
  const given = Object.keys(options.columns ?? {});
  const telling = countHeadings(dataset, headings, given) > 0 ? headings : null;
  const fileIndex: (number | null)[] = dataset.columns.map(() => null);
  const settled = new Set<number>();
  const leftOut = new Set<number>();
  const claim = (place: number, index: number) => {
    const other = fileIndex[place];
    if (other !== null && other !== undefined) {
      throw ambiguous(dataset.columns[place]!, [headings[other]!, headings[index]!]);
    }
    fileIndex[place] = index;
    settled.add(index);
  };

  headings.forEach((heading, index) => {
    if ((PROBLEM_HEADINGS as readonly string[]).includes(heading.trim())) settled.add(index);
  });

  for (const [heading, name] of Object.entries(options.columns ?? {})) {
    const index = indexOfHeading(headings, heading, telling);
    if (name === null) {
      leftOut.add(index);
      continue;
    }
    const place = places.get(name);
    if (place === undefined) throw unknownColumn(name, [...places.keys()]);
    claim(place, index);
  }

  const known = knownHeadings(dataset);
  const mappedPlaces = new Set(fileIndex.flatMap((index, place) => index === null ? [] : [place]));
  headings.forEach((heading, index) => {
    if (settled.has(index) || leftOut.has(index)) return;
    const place = known.get(normalizeHeading(heading));
    if (place !== undefined && !mappedPlaces.has(place)) claim(place, index);
  });

  headings.forEach((heading, index) => {
    if (settled.has(index) || leftOut.has(index)) return;
    const place = misspelt(normalizeHeading(heading), known, fileIndex);
    if (place !== null) claim(place, index);
  });

  const mapped: Record<string, string> = {};
  fileIndex.forEach((index, place) => {
    if (index !== null) mapped[headings[index]!] = dataset.columns[place]!.name;
  });
  const missing = dataset.columns.filter((_, place) => fileIndex[place] === null).map((column) =>
    column.name
  );
  const wanted = options.required.filter((name) => missing.includes(name));
  if (wanted.length > 0) throw missingColumns(dataset, wanted, { headings, telling });
  return {
    fileIndex,
    mapped,
    ignored: headings.filter((heading, index) => heading && !settled.has(index)),
    missing,
  };
}

/** How many cells of a row are headings of the dataset: what tells the heading row from titles above it. */
export function countHeadings(
  dataset: Dataset,
  cells: readonly string[],
  given: Iterable<string> = [],
): number {
  const known = knownHeadings(dataset);
  const wanted = new Set([...given].map(normalizeHeading));
  const found = new Set<string>();
  for (const cell of cells) {
    const heading = normalizeHeading(cell);
    if (heading && (known.has(heading) || wanted.has(heading))) found.add(heading);
  }
  return found.size;
}

function normalizeHeading(heading: string): string {
  return heading.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}#]+/gu, "");
}

function knownHeadings(dataset: Dataset): Map<string, number> {
  const known = new Map<string, number>();
  // A name beats a synonym of an earlier column.
  for (const names of [(c: Column) => [c.name, c.title], (c: Column) => c.headings ?? []]) {
    dataset.columns.forEach((column, place) => {
      for (const name of names(column)) {
        if (!known.has(normalizeHeading(name))) known.set(normalizeHeading(name), place);
      }
    });
  }
  return known;
}

function misspelt(heading: string, known: Map<string, number>, fileIndex: (number | null)[]): number | null {
  const limit = heading.length >= 8 ? 3 : heading.length >= 4 ? 2 : 0;
  const near = new Set<number>();
  for (const [name, place] of known) {
    if (fileIndex[place] === null && name.length >= 4 && editDistance(heading, name, limit) < limit) {
      near.add(place);
    }
  }
  const [place] = near;
  return near.size === 1 && place !== undefined ? place : null;
}

function indexOfHeading(
  headings: readonly string[],
  heading: string,
  telling: readonly string[] | null,
): number {
  const exact = headings.flatMap((text, index) => text.trim() === heading.trim() ? [index] : []);
  const found = exact.length > 0
    ? exact
    : headings.flatMap((text, index) => normalizeHeading(text) === normalizeHeading(heading) ? [index] : []);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new LongshoreError(
      "ambiguous_columns",
      `Cannot map the heading "${heading}": found it ${found.length} times, expected once`,
      { details: { heading } },
    );
  }
  const near = telling && nearestName(heading, telling);
  throw new LongshoreError(
    "unknown_columns",
    `Cannot map the heading "${heading}": the file has no such heading${
      near ? `, the nearest is "${near}"` : ""
    }`,
    { details: { heading, ...whatWasFound(headings, telling) } },
  );
}

function unknownColumn(name: string, known: string[]): LongshoreError {
  const near = nearestName(name, known);
  return new LongshoreError(
    "unknown_columns",
    `Cannot map to the column "${name}": the dataset has none${near ? `, the nearest is "${near}"` : ""}`,
    { details: { column: name, columns: known } },
  );
}

function ambiguous(column: Column, headings: string[]): LongshoreError {
  return new LongshoreError(
    "ambiguous_columns",
    `Cannot tell which heading is ${column.title}: found "${
      shown(headings).join('" and "')
    }", expected one; ` +
      `say which with the option "columns"`,
    { details: { column: column.name, headings: shown(headings) } },
  );
}

function missingColumns(
  dataset: Dataset,
  missing: string[],
  { headings, telling }: { headings: readonly string[]; telling: readonly string[] | null },
): LongshoreError {
  const titles = dataset.columns.filter((column) => missing.includes(column.name)).map((column) =>
    column.title
  );
  const what = telling
    ? `the headings ${
      telling.filter(Boolean).slice(0, 30).map((heading) => `"${heading.slice(0, 60)}"`).join(", ")
    }`
    : `a row of ${headings.length} cells, none of which is a heading of the dataset; expected a row of headings above ` +
      "the data";
  return new LongshoreError(
    "missing_columns",
    `Cannot find the columns ${titles.join(", ")}: found ${what}`,
    { details: { missing, ...whatWasFound(headings, telling) } },
  );
}

function whatWasFound(
  headings: readonly string[],
  telling: readonly string[] | null,
): Record<string, unknown> {
  return telling ? { headings: shown(telling) } : { cells: headings.length };
}

/** As many of them, and as much of each, as helps: a heading may be a megabyte, and there may be as many. */
function shown(headings: readonly string[]): string[] {
  return headings.slice(0, 100).map((heading) => heading.slice(0, 100));
}
