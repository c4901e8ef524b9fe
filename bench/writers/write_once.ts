/**
 * One way to write one workbook, in a process of its own, so that its CPU and memory are known. In: the way, the rows, the
 * file. Out: a line of JSON. The rows are 5,000 different ones over and over, as COPY gives them: texts, half of them
 * unique, numbers and dates.
 */
import {
  createWorkbookWriter,
  type WorkbookColumn,
  type WorkbookState,
} from "../../shared/formats/xlsx/mod.ts";

export interface WriterFigures {
  /** Of the process, user and system, start-up included. */
  cpuSeconds: number;
  wallSeconds: number;
  peakMegabytes: number;
  bytes: number;
}

const BLOCK_ROWS = 5_000;
const SLICE_ROWS = 50_000;

const COLUMNS: Required<Pick<WorkbookColumn, "heading" | "type">>[] = [
  ...["Tag", "Description", "Remarks", "Area", "Type", "Drawing", "Test package"].map((heading) =>
    ({ heading, type: "text" }) as const
  ),
  { heading: "Quantity", type: "integer" },
  { heading: "Size", type: "decimal" },
  { heading: "Weight (kg)", type: "decimal" },
  { heading: "Installed", type: "date" },
  { heading: "Changed", type: "timestamp" },
];

type Write = (rows: number, put: (bytes: Uint8Array) => void) => Promise<void> | void;

const WAYS: Record<string, Write> = {
  csv(rows, put) {
    const block = new TextEncoder().encode(textRows().map((row) => `${row.join(",")}\n`).join(""));
    const writer = createWorkbookWriter({ columns: COLUMNS });
    for (let row = 0; row < rows; row += BLOCK_ROWS) put(writer.writeCsv(block));
    put(writer.finish());
  },
  slices(rows, put) {
    const block = new TextEncoder().encode(textRows().map((row) => `${row.join(",")}\n`).join(""));
    let state: WorkbookState | undefined;
    for (let row = 0; row < rows;) {
      const writer = createWorkbookWriter({ columns: COLUMNS }, state && JSON.parse(JSON.stringify(state)));
      for (const end = Math.min(rows, row + SLICE_ROWS); row < end; row += BLOCK_ROWS) {
        put(writer.writeCsv(block));
      }
      const pause = writer.pause();
      put(pause.bytes);
      state = pause.state;
    }
    put(createWorkbookWriter({ columns: COLUMNS }, state).finish());
  },
  strings(rows, put) {
    const block = textRows();
    const writer = createWorkbookWriter({ columns: COLUMNS });
    for (let row = 0; row < rows; row += BLOCK_ROWS) put(writer.writeRows(block));
    put(writer.finish());
  },
  async hucre(rows, put) {
    // Not a dependency of the project: fetched when this is measured.
    const { writeXlsxStream } = await import(HUCRE) as {
      writeXlsxStream(rows: Iterable<unknown[]>, options: unknown): ReadableStream<Uint8Array>;
    };
    const stream = writeXlsxStream(valueRows(rows), {
      name: "Sheet1",
      columns: COLUMNS.map(({ heading }) => ({ header: heading })),
    });
    for await (const bytes of stream) put(bytes);
  },
  async sheetjs(rows, put) {
    const { utils, write } = await import("xlsx");
    const sheet = utils.aoa_to_sheet([COLUMNS.map(({ heading }) => heading), ...valueRows(rows)], {
      dense: true,
    });
    const book = utils.book_new(sheet, "Sheet1");
    put(new Uint8Array(write(book, { type: "array", compression: true })));
  },
};

const HUCRE = "npm:hucre@1.0.0/xlsx";

const [way, rows, path] = Deno.args;
const write = WAYS[way ?? ""];
if (!write || !path) {
  throw new TypeError(`Cannot write: found ${way}, expected ${Object.keys(WAYS).join(", ")}`);
}
const from = performance.now();
using file = await Deno.open(path, { write: true, create: true, truncate: true });
let bytes = 0;
await write(Number(rows), (piece) => {
  bytes += piece.length;
  for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
});
const figures: WriterFigures = { wallSeconds: (performance.now() - from) / 1000, bytes, ...processFigures() };
console.log(JSON.stringify(figures));

function textRows(): string[][] {
  return Array.from({ length: BLOCK_ROWS }, (_, i) => {
    const texts = Array.from(
      { length: 7 },
      (_, column) =>
        column < 3 + i % 2
          ? `${COLUMNS[column]?.heading}-${(i * 7919) % 1_000_003}-${i}`
          : `${COLUMNS[column]?.heading} number ${(i * 31 + column * 17) % 900}`,
    );
    const day = `2026-0${1 + i % 9}-${10 + i % 19}`;
    const numbers = [String(1 + i % 90), `${i * 8}.5`, (i * 1.1).toFixed(3)];
    return [...texts, ...numbers, day, `${day} 1${i % 10}:${10 + i % 50}:${10 + i % 40}`];
  });
}

/** As other writers take them. */
function* valueRows(count: number): Generator<(string | number | Date)[]> {
  const block = textRows().map((row) =>
    row.map((text, i) =>
      i < 7 ? text : i < 10 ? Number(text) : new Date(i === 10 ? text : `${text.replace(" ", "T")}Z`)
    )
  );
  for (let row = 0; row < count; row++) yield block[row % BLOCK_ROWS]!;
}

/** From the operating system (Linux), since the process began. */
function processFigures(): { cpuSeconds: number; peakMegabytes: number } {
  const TICKS_PER_SECOND = 100;
  const stat = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /, "").split(" ");
  const status = Deno.readTextFileSync("/proc/self/status");
  return {
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND,
    peakMegabytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024,
  };
}
