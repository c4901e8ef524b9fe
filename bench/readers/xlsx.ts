/**
 * CPU and memory of reading one .xlsx workbook: this project's reader and SheetJS, each in a process of its own,
 * start-up included, medians of three. `deno run -A bench/readers/xlsx.ts [--rows 200000] [--deno PATH]`
 */

import { parseArgs } from "@std/cli/parse-args";
import { openXlsx } from "../../shared/formats/xlsx/mod.ts";
import { writeZip } from "./write_zip.ts";
import { fileSource } from "./file_source.ts";
import { COLUMNS, workbookLikeExcels } from "./workbook_like_excels.ts";

const RUNS = 3;
const OURS = "longshore";
const SHEETJS = "SheetJS";

interface Figures {
  cells: number;
  /** Of the process, user and system. */
  cpuSeconds: number;
  wallSeconds: number;
  peakMegabytes: number;
}

const args = parseArgs(Deno.args, { string: ["read", "file", "deno", "rows"], boolean: ["no-peers"] });
if (args.read && args.file) console.log(JSON.stringify(await readOnce(args.read, args.file)));
else await compare({ rows: Number(args.rows ?? 200_000), deno: args.deno ?? Deno.execPath() });

async function compare({ rows, deno }: { rows: number; deno: string }): Promise<void> {
  const folder = await Deno.makeTempDir();
  const table: string[][] = [["workbook", "reader", "CPU s", "wall s", "peak MB", "cells"]];
  try {
    for (const unique of [false, true]) {
      const file = `${folder}/${unique}.xlsx`;
      const output = await Deno.open(file, { write: true, create: true });
      await writeZip(workbookLikeExcels({ rows, unique })).pipeTo(output.writable);
      const { size } = await Deno.stat(file);
      for (const reader of args["no-peers"] ? [OURS] : [OURS, SHEETJS]) {
        const figures = await median({ deno, reader, file });
        const name = `${rows} × ${COLUMNS}, ${unique ? 50 : 0} % unique texts, ${(size / 1e6).toFixed(1)} MB`;
        table.push([
          name,
          reader,
          figures.cpuSeconds.toFixed(2),
          figures.wallSeconds.toFixed(2),
          figures.peakMegabytes.toFixed(0),
          String(figures.cells),
        ]);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  print(table);
}

async function median(run: { deno: string; reader: string; file: string }): Promise<Figures> {
  const results: Figures[] = [];
  for (let i = 0; i < RUNS; i++) results.push(await inProcess(run));
  const middle = (key: keyof Figures) =>
    results.map((each) => each[key]).sort((a, b) => a - b)[RUNS >> 1] ?? NaN;
  return {
    cells: middle("cells"),
    cpuSeconds: middle("cpuSeconds"),
    wallSeconds: middle("wallSeconds"),
    peakMegabytes: middle("peakMegabytes"),
  };
}

async function inProcess(
  { deno, reader, file }: { deno: string; reader: string; file: string },
): Promise<Figures> {
  const script = new URL(import.meta.url).pathname;
  const command = ["run", "-A", "--no-lock", "--no-check", script, "--read", reader, "--file", file];
  const { success, stdout, stderr } = await new Deno.Command(deno, { args: command }).output();
  if (!success) throw new Error(`Cannot measure ${reader}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function readOnce(reader: string, file: string): Promise<Figures> {
  const start = performance.now();
  const cells = reader === OURS ? await readWithOurs(file) : await readWithSheetJs(file);
  const wallSeconds = (performance.now() - start) / 1000;
  return { cells, wallSeconds, ...await processFigures() };
}

async function readWithOurs(file: string): Promise<number> {
  const reader = await openXlsx(await fileSource(file));
  let cells = 0;
  for await (const { rows } of reader.batches()) {
    for (const row of rows) cells += row.length;
  }
  return cells;
}

async function readWithSheetJs(file: string): Promise<number> {
  const { read, utils } = await import("xlsx");
  const workbook = read(await Deno.readFile(file), { dense: true, cellDates: true });
  const sheet = workbook.Sheets[workbook.SheetNames[0] ?? ""];
  const rows = sheet ? utils.sheet_to_json<unknown[]>(sheet, { header: 1 }) : [];
  return rows.reduce((sum, row) => sum + row.length, 0);
}

/** From the operating system (Linux), since the process began. */
async function processFigures(): Promise<{ cpuSeconds: number; peakMegabytes: number }> {
  const TICKS_PER_SECOND = 100;
  const stat = (await Deno.readTextFile("/proc/self/stat")).replace(/^.*\) /, "").split(" ");
  const status = await Deno.readTextFile("/proc/self/status");
  return {
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND,
    peakMegabytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024,
  };
}

function print(table: string[][]): void {
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ??
    [];
  for (const row of table) {
    console.log(
      row.map((cell, i) => i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join("  "),
    );
  }
}
