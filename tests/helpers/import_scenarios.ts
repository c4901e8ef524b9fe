/**
 * Imports of pipe components that meet everything an import can meet. Out: for each scenario the file, what is in the
 * project before the check, and what somebody else writes between check and commit. The same on every call.
 */
import { type Cell, ErrorCell } from "../../shared/formats/reader.ts";
import { writeXlsx } from "../../shared/formats/xlsx/mod.ts";
import { type Random, seededRandom } from "./random.ts";

export interface Component {
  tag: string;
  drawing: string;
  type: string;
  quantity: number;
}

export interface Scenario {
  name: string;
  format: "csv" | "xlsx";
  mode: "insert" | "upsert" | "update";
  commit: { policy: "all_or_nothing" | "valid_rows" | "stop_after"; stop_after?: number };
  /** Whether the file has rows with problems. */
  dirty: boolean;
  /** How many rows of the file somebody else inserts after the check. @default 0 */
  conflicts?: number;
  /** Whether the rows of the file may affect each other, so that all are checked in one transaction. @default false */
  whole?: boolean;
  createDrawings?: boolean;
}

export const scenarios: readonly Scenario[] = [
  {
    name: "a dirty CSV, inserted where valid, with conflicts after the check",
    format: "csv",
    mode: "insert",
    commit: { policy: "valid_rows" },
    dirty: true,
    conflicts: 40,
  },
  {
    name: "a dirty workbook, merged where valid",
    format: "xlsx",
    mode: "upsert",
    commit: { policy: "valid_rows" },
    dirty: true,
  },
  {
    name: "a clean CSV, inserted as a whole",
    format: "csv",
    mode: "insert",
    commit: { policy: "all_or_nothing" },
    dirty: false,
  },
  {
    name: "a dirty CSV, checked in one transaction, with drawings to be made",
    format: "csv",
    mode: "insert",
    commit: { policy: "valid_rows" },
    dirty: true,
    whole: true,
    createDrawings: true,
  },
  {
    name: "a dirty workbook, inserted until too many rows fail",
    format: "xlsx",
    mode: "insert",
    commit: { policy: "stop_after", stop_after: 25 },
    dirty: true,
    conflicts: 60,
  },
  {
    name: "a clean workbook, as a whole, refused because of conflicts after the check",
    format: "xlsx",
    mode: "insert",
    commit: { policy: "all_or_nothing" },
    dirty: false,
    conflicts: 1,
  },
  {
    name: "a dirty CSV that updates what is there",
    format: "csv",
    mode: "update",
    commit: { policy: "valid_rows" },
    dirty: true,
  },
];

export interface ScenarioData {
  fileName: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Numbers of the drawings that are there before the check. */
  drawings: string[];
  existing: Component[];
  conflicts: Component[];
}

const HEADINGS = ["Tag", "Description", "Type", "Drawing", "Area", "Quantity", "Weight (kg)", "Remarks"];
const TYPES = ["spool", "valve", "support", "field_weld"];
const DRAWINGS = Array.from({ length: 40 }, (_, n) => `ISO-${100 + n}-001`);

export async function scenarioData(scenario: Scenario, rowCount: number): Promise<ScenarioData> {
  const random = seededRandom(4711);
  const rows = Array.from({ length: rowCount }, (_, n) => cleanRow(n, random));
  const taken = takeFromRows(rows, scenario, random);
  if (scenario.dirty) spoil(rows, random);
  return {
    fileName: `components.${scenario.format}`,
    bytes: scenario.format === "csv" ? toCsv(rows, scenario.dirty) : await toXlsx(rows),
    drawings: DRAWINGS,
    ...taken,
  };
}

function cleanRow(n: number, random: Random): Cell[] {
  return [
    `TAG-${String(n).padStart(6, "0")}`,
    random.pick(['4" spool', "Ball valve, 2 parts", "Support\nwith two lines", "", "Flansch DN 50 für Öl"]),
    random.pick(TYPES),
    random.pick(DRAWINGS),
    `A-${n % 7}`,
    random.int(1, 20),
    random.int(0, 5000) / 10,
    random.chance(0.3) ? `note ${n}` : null,
  ];
}

/** What is in the project already, and what comes between check and commit, out of the rows of the file. */
function takeFromRows(rows: Cell[][], scenario: Scenario, random: Random) {
  const share = { insert: scenario.dirty ? 0.02 : 0, upsert: 0.4, update: 0.9 }[scenario.mode];
  const existing = rows.filter(() => random.chance(share)).map(componentOf);
  const known = new Set(existing.map(({ tag }) => tag));
  const free = rows.filter(([tag]) => !known.has(String(tag)));
  const conflicts = Array.from(
    { length: scenario.conflicts ?? 0 },
    (_, n) => componentOf(free[Math.floor((n + 0.5) * free.length / (scenario.conflicts ?? 1))] ?? []),
  );
  return { existing, conflicts };
}

function componentOf([tag, , type, drawing, , quantity]: Cell[]): Component {
  return { tag: String(tag), type: String(type), drawing: String(drawing), quantity: Number(quantity) };
}

/** Puts one problem of every kind into about one row of ten, and chains of equal keys across the file. */
function spoil(rows: Cell[][], random: Random): void {
  const spoilers: ((row: Cell[]) => void)[] = [
    (row) => row[0] = null,
    (row) => row[0] = "T".repeat(201),
    (row) => row[2] = "spoool",
    (row) => row[3] = `ISO-1${random.int(10, 40)}-00l`,
    (row) => row[3] = `NEW-${random.int(0, 5)}`,
    (row) => row[5] = "a dozen",
    (row) => row[5] = 0,
    (row) => row[6] = -1,
    (row) => row[6] = new ErrorCell("#REF!"),
    (row) => (row[5] = "none", row[6] = -5),
  ];
  for (const row of rows) if (random.chance(0.08)) random.pick(spoilers)(row);

  for (let chain = 0; chain < 25; chain++) {
    const links = Array.from({ length: random.int(2, 6) }, () => random.int(0, rows.length))
      .toSorted((a, b) => a - b);
    for (const [place, link] of links.entries()) {
      const row = rows[link] ?? [];
      row[0] = `CHAIN-${chain}`;
      // The first of some chains is no valid row itself: then the second one counts.
      if (place === 0 && chain % 3 === 0) row[5] = "a few";
      if (place === 0 && chain % 3 === 1) row[6] = -7;
    }
  }
}

function toCsv(rows: Cell[][], dirty: boolean): Uint8Array<ArrayBuffer> {
  const lines = rows.map((row) => row.map(quote).join(","));
  if (dirty) {
    for (let n = 100; n < lines.length; n += 333) {
      lines[n] = n % 2 === 0 ? "" : String(lines[n]?.split(",").slice(0, 3).join(","));
    }
  }
  return new TextEncoder().encode([HEADINGS.map(quote).join(","), ...lines, ""].join("\r\n"));
}

function quote(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function toXlsx(rows: Cell[][]): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(writeXlsx(rows, { sheet: "Components", headings: HEADINGS })).bytes();
}
