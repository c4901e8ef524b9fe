/** CPU and memory of writing one .xlsx workbook: this project's writer and others, each on the runtime floor. */
import { fromFileUrl } from "@std/path";
import { FLOOR_VERSION, floorDeno, floorEnvironment } from "../../local/deno_floor.ts";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import type { WriterFigures } from "./write_once.ts";

export const writeXlsxBench: Bench = {
  name: "write-xlsx",
  title: "A workbook of 12 columns written, half of its texts unique",
  run,
};

const WAYS = [
  { way: "csv", step: "CSV as COPY writes it" },
  { way: "slices", step: "the same, left and gone on with every 50,000 rows" },
  { way: "strings", step: "rows of strings" },
  { way: "hucre", step: "hucre, writeXlsxStream" },
  { way: "sheetjs", step: "SheetJS" },
];
const SCRIPT = fromFileUrl(new URL("write_once.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const path = await Deno.makeTempFile({ suffix: ".xlsx" });
  const found = new Map<string, WriterFigures[]>(WAYS.map(({ way }) => [way, []]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { way } of WAYS) found.get(way)?.push(await writeOnce([way, String(rows), path]));
    }
  } finally {
    await Deno.remove(path);
  }
  return {
    title: `${rows.toLocaleString("en")} rows × 12 columns to a file, on Deno ${FLOOR_VERSION}`,
    headings: ["written from", "CPU s", "wall s", "peak MB", "file MB", "rounds, CPU s"],
    rows: WAYS.map(({ way, step }) => {
      const all = found.get(way) ?? [];
      return [
        step,
        median(all, "cpuSeconds").toFixed(2),
        median(all, "wallSeconds").toFixed(2),
        median(all, "peakMegabytes").toFixed(0),
        (median(all, "bytes") / 1e6).toFixed(1),
        all.map(({ cpuSeconds }) => cpuSeconds.toFixed(2)).join(" "),
      ];
    }),
    notes: ["Of the whole process, start-up and the making of the rows included. Medians."],
  };
}

async function writeOnce(args: string[]): Promise<WriterFigures> {
  const { success, stdout, stderr } = await new Deno.Command(await floorDeno(), {
    args: ["run", "-A", "--no-lock", "--no-check", "--config", CONFIG, SCRIPT, ...args],
    env: floorEnvironment(),
  }).output();
  if (!success) throw new Error(`Cannot measure ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function median(all: readonly WriterFigures[], key: keyof WriterFigures): number {
  return all.map((each) => each[key]).sort((a, b) => a - b)[all.length >> 1] ?? NaN;
}
