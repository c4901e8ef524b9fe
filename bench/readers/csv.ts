/**
 * What reading a CSV costs: this reader against Papa Parse on blocks of the same size, 200,000 rows of 12
 * columns. Every run is a process of its own, cold as a function's isolate is, and its CPU time comes from
 * the operating system (all threads: garbage collection counts). Prints medians of five runs: `deno run -A
 * bench/readers/csv.ts`; `DENO=deno214` runs another Deno.
 */
import Papa from "papaparse";
import { openCsv } from "../../shared/formats/csv/mod.ts";
import { ByteWindow } from "../../shared/formats/csv/byte_window.ts";
import { TextEncoding } from "../../shared/formats/csv/text_encoding.ts";
import type { ByteSource, Cell } from "../../shared/formats/reader.ts";

const ROWS = 200_000;
const RUNS = 5;
const BLOCK_BYTES = 64 * 1024;
const FILES = ["plain", "accented", "some quotes", "all quoted"];
const READERS = ["longshore", "papa on blocks"];

/** Papa Parse's parser of one text; the package brings no types. */
interface PapaParser {
  parse(
    text: string,
    baseIndex: number,
    ignoreLastRow: boolean,
  ): { data: string[][]; meta: { cursor: number } };
}
type PapaParserClass = new (config: { delimiter: string; newline: string }) => PapaParser;

interface Run {
  rows: number;
  cpuMs: number;
  peakMiB: number;
}

if (import.meta.main) {
  const [reader, path] = Deno.args;
  if (reader !== undefined && path !== undefined) {
    console.log(JSON.stringify(await measure(reader, path)));
  } else {
    await compare();
  }
}

async function compare(): Promise<void> {
  const deno = Deno.env.get("DENO") ?? Deno.execPath();
  const folder = await Deno.makeTempDir({ prefix: "longshore-bench-" });
  try {
    const version = await output(deno, ["--version"]);
    console.log(`${cpuModel()}, ${version.split("\n")[0]}, ${ROWS} rows x 12, medians of ${RUNS}\n`);
    console.log(line(["file", "MB", "reader", "CPU ms", "rows/CPU s", "peak MiB"]));
    for (const file of FILES) {
      const path = `${folder}/${file}.csv`;
      await Deno.writeTextFile(path, csvText(file));
      const megabytes = ((await Deno.stat(path)).size / 1e6).toFixed(1);
      for (const reader of READERS) {
        const runs: Run[] = [];
        for (let run = 0; run < RUNS; run++) {
          runs.push(JSON.parse(
            await output(deno, ["run", "-A", "--no-lock", new URL(import.meta.url).pathname, reader, path]),
          ));
        }
        if (runs.some(({ rows }) => rows !== ROWS + 1)) throw new Error(`"${reader}" did not find every row`);
        const cpu = median(runs.map(({ cpuMs }) => cpuMs));
        const peak = median(runs.map(({ peakMiB }) => peakMiB));
        const rate = Math.round(ROWS / cpu * 1000).toLocaleString("en");
        console.log(line([file, megabytes, reader, cpu.toFixed(0), rate, peak.toFixed(0)]));
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(reader: string, path: string): Promise<Run> {
  const source = fileSource(path);
  const before = cpuMs();
  const rows = reader === "longshore" ? await readWithLongshore(source) : await readWithPapa(source);
  return { rows, cpuMs: cpuMs() - before, peakMiB: peakMiB() };
}

async function readWithLongshore(source: ByteSource): Promise<number> {
  let rows = 0;
  const reader = await openCsv(source);
  for await (const batch of reader.batches()) rows += batch.rows.length;
  return rows;
}

/**
 * The same rows, with nulls and row numbers, after the same detection; but no lines, flaws or byte offsets.
 */
async function readWithPapa(source: ByteSource): Promise<number> {
  const { info } = await openCsv(source);
  const encoding = new TextEncoding(info.encoding ?? "");
  const Parser = (Papa as unknown as { Parser: PapaParserClass }).Parser;
  const parser = new Parser({ delimiter: info.delimiter ?? "", newline: "\n" });
  const window = await ByteWindow.open(source, 0);
  let rows = 0;
  let row = 0;
  let rest = "";
  while (true) {
    await window.fill(BLOCK_BYTES);
    const length = window.final ? window.bytes.length : encoding.lastLineEnd(window.bytes);
    const text = rest + encoding.decode(window.bytes.subarray(0, length));
    const { data, meta } = parser.parse(text, 0, !window.final);
    const batch = batchOf(data, row);
    row += data.length;
    rows += batch.rows.length;
    rest = text.slice(meta.cursor);
    if (window.final) return rows;
    window.drop(length);
  }
}

function batchOf(data: string[][], row: number): { rows: Cell[][]; rowNumbers: number[] } {
  const rows: Cell[][] = [];
  const rowNumbers: number[] = [];
  for (const read of data) {
    row++;
    const cells: Cell[] = read;
    let blank = true;
    for (let index = 0; index < cells.length; index++) {
      if (cells[index] === "") cells[index] = null;
      else blank = false;
    }
    if (blank) continue;
    rows.push(cells);
    rowNumbers.push(row);
  }
  return { rows, rowNumbers };
}

function csvText(file: string): string {
  const lines = ["tag,drawing,type,size,area,system,spec,line,installed,hours,weight,note"];
  for (let row = 1; row <= ROWS; row++) {
    const note = file === "accented" ? `geprüft von Müller ${row}` : `checked by crew ${row % 37}`;
    const cells = [
      `V-${100000 + row}`,
      `P-${1000 + row % 900}-ISO-${row % 77}`,
      "valve",
      `${row % 24}"`,
      `area ${row % 12}`,
      `SYS-${row % 40}`,
      "CS150",
      `${row % 300}-PL`,
      "2025-11-0" + (1 + row % 9),
      (row % 1000 / 8).toFixed(3),
      String(row * 7 % 5000),
      file === "some quotes" ? `"${note}, see ""A"""` : note,
    ];
    if (file === "plain" || file === "accented") cells[3] = String(row % 24);
    lines.push(
      file === "all quoted"
        ? cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")
        : cells.join(","),
    );
  }
  return lines.join("\n") + "\n";
}

function fileSource(path: string): ByteSource {
  return {
    size: Deno.statSync(path).size,
    async stream(start) {
      const file = await Deno.open(path);
      await file.seek(start, Deno.SeekMode.Start);
      return file.readable;
    },
    async read(start, end) {
      using file = await Deno.open(path);
      await file.seek(start, Deno.SeekMode.Start);
      const bytes = new Uint8Array(end - start);
      let length = 0;
      while (length < bytes.length) {
        const read = await file.read(bytes.subarray(length));
        if (read === null) break;
        length += read;
      }
      return bytes.subarray(0, length);
    },
  };
}

/** CPU time of this process and all its threads, from clock ticks of 10 ms. */
function cpuMs(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function peakMiB(): number {
  const peak = /VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  return Number(peak) / 1024;
}

function cpuModel(): string {
  return /model name\s*:\s*(.*)/.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown CPU";
}

async function output(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function line(cells: string[]): string {
  const widths = [12, 6, 16, 8, 12, 9];
  return cells.map((cell, index) =>
    index % 2 === 0 && index < 3 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!)
  ).join("  ");
}
