/**
 * CPU and memory of reading one .xlsx workbook: this project's reader and SheetJS, each in a process of its own,
 * start-up included, medians of three. `deno run -A bench/readers/xlsx.ts [--rows 200000] [--deno PATH]`
 */

import { parseArgs } from "@std/cli/parse-args";
import type { ByteSource } from "../../shared/formats/reader.ts";
import { openXlsx } from "../../shared/formats/xlsx/mod.ts";
import { writeZip } from "../../shared/formats/xlsx/write_zip.ts";

const RUNS = 3;
const COLUMNS = 12;
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
    for (const unique of [0, 0.5]) {
      const file = `${folder}/${unique}.xlsx`;
      const output = await Deno.open(file, { write: true, create: true });
      await writeZip(workbookLikeExcels({ rows, unique })).pipeTo(output.writable);
      const { size } = await Deno.stat(file);
      for (const reader of args["no-peers"] ? [OURS] : [OURS, SHEETJS]) {
        const figures = await median({ deno, reader, file });
        const name = `${rows} × ${COLUMNS}, ${unique * 100} % unique texts, ${(size / 1e6).toFixed(1)} MB`;
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

async function fileSource(path: string): Promise<ByteSource> {
  const { size } = await Deno.stat(path);
  const CHUNK_BYTES = 64 * 1024;
  async function* chunks(start: number, end: number) {
    using file = await Deno.open(path);
    await file.seek(start, Deno.SeekMode.Start);
    for (let left = end - start; left > 0;) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, left));
      const count = await file.read(chunk);
      if (count === null) return;
      left -= count;
      yield chunk.subarray(0, count);
    }
  }
  return {
    size,
    stream: (start, end = size) => Promise.resolve(ReadableStream.from(chunks(start, end))),
    read: async (start, end) =>
      new Uint8Array(await new Response(ReadableStream.from(chunks(start, end))).arrayBuffer()),
  };
}

/** The XML that Excel writes: shared strings, styles, spans; seven columns of text, three of numbers, two of dates. */
function* workbookLikeExcels({ rows, unique }: { rows: number; unique: number }) {
  const MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  const TEXT_COLUMNS = 7, REPEATED = 2000;
  const uniquePerRow = Math.round(TEXT_COLUMNS * unique);
  const relation = (id: number, type: string, target: string) =>
    `<Relationship Id="rId${id}" Type="${OFFICE}/${type}" Target="${target}"/>`;
  const relations = (each: string[]) =>
    `${HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${
      each.join("")
    }` +
    "</Relationships>";
  const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";
  const contentTypes = Object.entries({
    "workbook": "sheet.main",
    "worksheets/sheet1": "worksheet",
    "styles": "styles",
    "sharedStrings": "sharedStrings",
  }).map(([part, type]) => `<Override PartName="/xl/${part}.xml" ContentType="${TYPE}.${type}+xml"/>`);
  yield {
    name: "[Content_Types].xml",
    content: [
      `${HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${
        contentTypes.join("")
      }</Types>`,
    ],
  };
  yield { name: "_rels/.rels", content: [relations([relation(1, "officeDocument", "xl/workbook.xml")])] };
  yield {
    name: "xl/workbook.xml",
    content: [
      `${HEAD}<workbook ${MAIN} xmlns:r="${OFFICE}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    ],
  };
  yield {
    name: "xl/_rels/workbook.xml.rels",
    content: [relations([
      relation(1, "worksheet", "worksheets/sheet1.xml"),
      relation(2, "styles", "styles.xml"),
      relation(3, "sharedStrings", "sharedStrings.xml"),
    ])],
  };
  yield {
    name: "xl/styles.xml",
    content: [
      `${HEAD}<styleSheet ${MAIN}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
    ],
  };
  yield { name: "xl/sharedStrings.xml", content: sharedStrings() };
  yield { name: "xl/worksheets/sheet1.xml", content: sheet() };

  function* sharedStrings() {
    yield `${HEAD}<sst ${MAIN}>`;
    for (let i = 0; i < REPEATED; i++) yield `<si><t>Repeated text ${i}</t></si>`;
    for (let i = 0; i < rows * uniquePerRow; i++) {
      yield `<si><t>TAG-${(i * 7919) % 1_000_003}-${i}-unique</t></si>`;
    }
    yield "</sst>";
  }
  function* sheet() {
    yield `${HEAD}<worksheet ${MAIN}><sheetData>`;
    for (let row = 1; row <= rows; row++) {
      let xml = `<row r="${row}" spans="1:12" x14ac:dyDescent="0.25">`;
      for (let column = 0; column < COLUMNS; column++) {
        const at = `r="${String.fromCharCode(65 + column)}${row}"`;
        if (column < TEXT_COLUMNS) {
          const isUnique = column < uniquePerRow;
          const index = isUnique
            ? REPEATED + (row - 1) * uniquePerRow + column
            : (row * 31 + column * 17) % REPEATED;
          xml += `<c ${at} t="s"><v>${index}</v></c>`;
        } else if (column < 9) xml += `<c ${at}><v>${row * column}</v></c>`;
        else if (column === 9) xml += `<c ${at}><v>${(row * 1.1).toPrecision(17)}</v></c>`;
        else xml += `<c ${at} s="1"><v>${44_000 + (row * column) % 2000}</v></c>`;
      }
      yield `${xml}</row>`;
    }
    yield "</sheetData></worksheet>";
  }
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
