/**
 * Mistakes that people make, the same for the same seed. In: good components. Out: rows of cells as they stand in the
 * file, and what each mistake was, so that it can be put right.
 */
import { type Cell, ErrorCell } from "../../shared/formats/reader.ts";
import { COMPONENT_COLUMNS } from "./component_columns.ts";
import type { Component } from "./make_project.ts";
import { type Random, seededRandom } from "./seeded_random.ts";

export interface Mistake {
  /** The heading of the broken cell. */
  heading: string;
  /** What should stand there. */
  right: string;
}

export interface BrokenRows {
  rows: Cell[][];
  /** By the row's number in the file; the first row below the headings is 2. */
  mistakes: Map<number, Mistake>;
}

export interface BreakRowsOptions {
  /** How many rows of 1,000 have a mistake. @default 10 */
  perThousand?: number;
  /** @default 7 */
  seed?: number;
}

type Break = (
  component: Component,
  random: Random,
  earlier: Component,
) => Partial<Record<keyof Component, Cell>>;

const BREAKS: readonly Break[] = [
  (_component, _random, earlier) => ({ tag: earlier.tag }),
  ({ quantity }, random) => ({
    quantity: quantity === 1
      ? random.pick(["one", "1 off", "tbc"])
      : random.pick(["two", "a few", "see BOM"]),
  }),
  ({ drawing }) => ({ drawing: swapEnd(drawing) }),
  (_component, random) => ({ [random.pick(["tag", "type", "drawing"] as const)]: null }),
  ({ type }) => ({ type: type === "valve" ? "Vavle" : `${type.slice(0, 2)}${type.slice(3)}` }),
  () => ({ weight_kg: new ErrorCell("#REF!") }),
];

export function breakRows(
  components: readonly Component[],
  { perThousand = 10, seed = 7 }: BreakRowsOptions = {},
): BrokenRows {
  const random = seededRandom(seed);
  const mistakes = new Map<number, Mistake>();
  let good: Component | undefined;
  const rows = components.map((component, place) => {
    if (!good || random.below(1000) >= perThousand) {
      good = component;
      return cellsOf(component);
    }
    // In turn, so that there is some of each.
    const breaking = BREAKS[mistakes.size % BREAKS.length] as Break;
    const broken = breaking(component, random, good);
    for (const { heading, name } of COMPONENT_COLUMNS) {
      if (name in broken) mistakes.set(place + 2, { heading, right: String(component[name]) });
    }
    return cellsOf(component, broken);
  });
  return { rows, mistakes };
}

export function cellsOf(
  component: Component,
  broken: Partial<Record<keyof Component, Cell>> = {},
): Cell[] {
  return COMPONENT_COLUMNS.map(({ name }) => {
    const cell = broken[name];
    return cell === undefined ? component[name] : cell;
  });
}

/** Two letters in the wrong order: `ISO-110-CW-017` → `ISO-110-WC-017`, which is no drawing. */
function swapEnd(drawing: string): string {
  return drawing.replace(/-([A-Z])([A-Z])-/, "-$2$1-");
}
