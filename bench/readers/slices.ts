/**
 * The largest workbook there can be, read slice by slice: each in a process of its own that goes on from the cursor of the
 * one before, as isolates do, and ends after its share of CPU. Prints CPU and memory of each slice.
 * `deno run -A bench/readers/slices.ts [--rows 1048575] [--cpu 1000] [--deno PATH] [--file PATH]`
 */

import { parseArgs } from "@std/cli/parse-args";
import { openXlsx, type XlsxCursor } from "../../shared/formats/xlsx/mod.ts";
import { writeZip } from "./write_zip.ts";
import { fileSource } from "./file_source.ts";
import { workbookLikeExcels } from "./workbook_like_excels.ts";

interface SliceFigures {
  rows: number;
  /** Of the thread that runs JavaScript, which is what hosted isolates are limited in, from the opening of the file. */
  cpuMs: number;
  /** Of all threads since the process began. */
  allCpuMs: number;
  peakMb: number;
  bareMb: number;
  cursorBytes: number;
  ended: boolean;
}

const args = parseArgs(Deno.args, { string: ["rows", "cpu", "deno", "file", "slice"] });
const cpuMs = Number(args.cpu ?? 1000);
if (args.slice && args.file) console.log(JSON.stringify(await readSlice(args.file, args.slice)));
else if (args.file) await readAll(args.file);
else await withWorkbook(readAll);

async function withWorkbook(use: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/large.xlsx`;
    const output = await Deno.open(file, { write: true, create: true });
    const rows = Number(args.rows ?? 1_048_575);
    await writeZip(workbookLikeExcels({ rows, unique: true })).pipeTo(output.writable);
    await use(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function readAll(file: string): Promise<void> {
  const cursorFile = await Deno.makeTempFile({ suffix: ".json" });
  const total = { rows: 0, cpuMs: 0, allCpuMs: 0 };
  console.log(`${((await Deno.stat(file)).size / 1e6).toFixed(0)} MB`);
  console.log("slice     rows  CPU ms  all threads  peak MB  of which runtime  cursor bytes");
  try {
    for (let slice = 1;; slice++) {
      const figures = await inProcess([file, cursorFile]);
      total.rows += figures.rows;
      total.cpuMs += figures.cpuMs;
      total.allCpuMs += figures.allCpuMs;
      print([
        slice,
        figures.rows,
        figures.cpuMs,
        figures.allCpuMs,
        figures.peakMb,
        figures.bareMb,
        figures.cursorBytes,
      ]);
      if (figures.ended) break;
    }
    print(["all", total.rows, total.cpuMs, total.allCpuMs]);
  } finally {
    await Deno.remove(cursorFile);
  }
}

async function inProcess([file, cursor]: [string, string]): Promise<SliceFigures> {
  const script = new URL(import.meta.url).pathname;
  const command = ["run", "-A", "--no-lock", "--no-check", script, "--file", file, "--slice", cursor];
  command.push("--cpu", String(cpuMs));
  const { success, stdout, stderr } = await new Deno.Command(args.deno ?? Deno.execPath(), { args: command })
    .output();
  if (!success) throw new Error(`Cannot read a slice: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function readSlice(file: string, cursorFile: string): Promise<SliceFigures> {
  const from = mainThreadMs();
  const bareMb = memoryMb();
  const before = await Deno.readTextFile(cursorFile);
  let cursor: XlsxCursor | undefined = before ? JSON.parse(before) : undefined;
  let rows = 0;
  let ended = true;
  let peakMb = bareMb;
  const reader = await openXlsx(await fileSource(file), cursor ? { cursor } : {});
  for await (const batch of reader.batches()) {
    rows += batch.rows.length;
    cursor = batch.cursor;
    peakMb = Math.max(peakMb, memoryMb());
    if (mainThreadMs() - from >= cpuMs) {
      ended = false;
      break;
    }
  }
  const text = JSON.stringify(cursor);
  await Deno.writeTextFile(cursorFile, text);
  return {
    rows,
    ended,
    bareMb,
    peakMb,
    cpuMs: mainThreadMs() - from,
    allCpuMs: cpuOf("/proc/self/stat"),
    cursorBytes: text.length,
  };
}

function mainThreadMs(): number {
  return cpuOf(`/proc/self/task/${Deno.pid}/stat`);
}

/** From the operating system (Linux), in ticks of 10 ms. */
function cpuOf(path: string): number {
  const fields = Deno.readTextFileSync(path).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident and not backed by a file. */
function memoryMb(): number {
  const kb = /^RssAnon:\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  return Math.round(Number(kb) / 1024);
}

function print(cells: (string | number)[]): void {
  const widths = [5, 7, 6, 11, 7, 16, 12];
  console.log(cells.map((cell, i) => String(cell).padStart(widths[i]!)).join("  "));
}
