/** The files of every day: whatever wrote them, the same rows come out, and a CSV and a workbook agree. */
import { assert, assertEquals } from "@std/assert";
import { type CellObject, utils, type WorkBook, type WorkSheet, write } from "xlsx";
import { type Cell, DateCell } from "../../shared/formats/reader.ts";
import { writeXlsx } from "../../shared/formats/xlsx/mod.ts";
import { type Importer, importer, type Outcome } from "../helpers/imports.ts";
import { testStack } from "../helpers/stack.ts";

const stack = await testStack();
const DRAWINGS = ["ISO-100-001", "ISO-100-002"];

interface Expected {
  would: Record<string, number>;
  columns: Record<string, unknown>;
  problems: Record<string, unknown>[];
  table: Record<string, unknown>[];
}

async function tableOf(it: Importer, dataset: string): Promise<unknown[]> {
  if (dataset === "pipetrak.drawings") {
    return [
      ...await it.admin`
      select number, revision, title from pipetrak.drawings
      where project_id = ${it.projectId} and number <> all (${DRAWINGS}) order by number`,
    ];
  }
  return (await it.components()).filter(({ tag }) => tag !== "V-EXISTS").map((
    { system: _, test_package: _t, spec: _s, size: _z, ...row },
  ) => row);
}

for (const name of ["components", "components_bad", "drawings"]) {
  for (const format of ["csv", "xlsx"] as const) {
    Deno.test(`import gives for ${name}.${format} what ${name}.json says`, async () => {
      await using it = await importer(stack, { drawings: DRAWINGS });
      const fixture = new URL(`../fixtures/pipetrak/${name}`, import.meta.url).href;
      const expected: Expected = JSON.parse(await Deno.readTextFile(new URL(`${fixture}.json`)));
      const bytes = await Deno.readFile(new URL(`${fixture}.${format}`));
      const dataset = `pipetrak.${name.replace("_bad", "")}`;
      const existing = await it.check("Tag,Type,Drawing\nV-EXISTS,valve,ISO-100-001\n");
      await it.commit(existing);

      const check = await it.check(bytes, { name: `${name}.${format}`, dataset });
      const { rows, valid, invalid, would, problems_by_code, columns, guarantee } = check.job.result ?? {};
      const invalidRows = new Set(expected.problems.map(({ row }) => row)).size;
      const rowCount = expected.table.length + invalidRows;
      assertEquals({ rows, valid, invalid, would, columns, guarantee }, {
        rows: rowCount,
        valid: expected.table.length,
        invalid: invalidRows,
        would: expected.would,
        columns: expected.columns,
        guarantee: "exact",
      });
      assertEquals(problems_by_code, countBy(expected.problems.map(({ code }) => String(code))));
      assertEquals(
        check.problems,
        expected.problems.map(({ line, cell, ...problem }) => ({
          ...problem,
          ...(format === "csv"
            ? { line, cell: null, sheet: null }
            : { line: null, cell, sheet: "Components" }),
        })),
      );
      const commit = await it.commit(check, { policy: "valid_rows" });
      assertEquals(commit.job.result, {
        inserted: expected.table.length,
        updated: 0,
        unchanged: 0,
        skipped: invalidRows,
        failed: 0,
      });
      assertEquals(await tableOf(it, dataset), expected.table);
    });
  }
}

function countBy(codes: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

// The same three rows in every form.
const ROWS: [tag: string, description: string, quantity: string][] = [
  ["A-1", '4" pipe', "1.5"],
  ["A-2", "Größe, zwei; drei\tTeile", "2"],
  ["A-3", "zwei\nZeilen", "0.25"],
];
const HEADINGS = ["Tag", "Description", "Quantity", "Type", "Drawing"];

interface Dialect {
  delimiter?: string;
  newline?: string;
  quoteAll?: boolean;
}

function csv({ delimiter = ",", newline = "\n", quoteAll = false }: Dialect = {}): string {
  const quote = (text: string) =>
    quoteAll || text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  return [HEADINGS, ...ROWS.map((row) => [...row, "spool", "D-1"])]
    .map((row) => row.map((text) => quote(text.replaceAll("\n", newline))).join(delimiter) + newline).join(
      "",
    );
}

function utf16(text: string, littleEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let n = 0; n < text.length; n++) view.setUint16(n * 2, text.charCodeAt(n), littleEndian);
  return new Uint8Array(view.buffer);
}

/** Enough for the letters of this file. */
function windows1252(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

interface Form {
  name: string;
  body: string | Uint8Array;
  fileName?: string;
  options?: Record<string, unknown>;
  found?: Record<string, unknown>;
  /** How line ends inside a value come out. @default "\n" */
  newline?: string;
}

const CSV_FORMS: Form[] = [
  { name: "commas", body: csv(), found: { encoding: "utf-8", delimiter: "," } },
  { name: "semicolons", body: csv({ delimiter: ";" }), found: { delimiter: ";" } },
  { name: "tabs", body: csv({ delimiter: "\t" }), found: { delimiter: "\t" }, fileName: "rows.tsv" },
  { name: "pipes", body: csv({ delimiter: "|" }), found: { delimiter: "|" } },
  { name: "CRLF", body: csv({ newline: "\r\n" }), newline: "\r\n" },
  { name: "CR alone", body: csv({ newline: "\r" }), newline: "\r" },
  { name: "quotes around everything", body: csv({ quoteAll: true }) },
  { name: "no newline at the end", body: csv().slice(0, -1) },
  { name: "blank lines", body: csv().replaceAll("D-1\n", "D-1\n\n\n") },
  { name: "a quote inside a field", body: csv().replace('"4"" pipe"', '4" pipe') },
  { name: "a byte order mark", body: `\ufeff${csv()}`, found: { encoding: "utf-8" } },
  { name: "UTF-16, little end first", body: utf16(`\ufeff${csv()}`, true), found: { encoding: "utf-16le" } },
  { name: "UTF-16, big end first", body: utf16(`\ufeff${csv()}`, false), found: { encoding: "utf-16be" } },
  { name: "Windows-1252", body: windows1252(csv()), found: { encoding: "windows-1252" } },
  {
    name: "an encoding that is given",
    body: windows1252(csv()),
    options: { encoding: "windows-1252" },
    found: { encoding: "windows-1252" },
  },
  {
    name: "a delimiter that is given",
    body: csv({ delimiter: ":" }),
    options: { delimiter: ":" },
    found: { delimiter: ":" },
  },
  {
    name: "Excel's line about the delimiter",
    body: `sep=;\r\n${csv({ delimiter: ";" })}`,
    found: { delimiter: ";" },
  },
  { name: "titles above the headings", body: `Line list\n"Project 7, north",,2025\n\n${csv()}` },
  {
    name: "headings in a row that is given",
    body: `Tag,Description,Quantity,Type,Drawing\nPosition,Text,Menge,Art,Plan\n${
      csv().split("\n").slice(1).join("\n")
    }`,
    options: {
      header_row: 2,
      columns: { Position: "tag", Text: "description", Menge: "quantity", Art: "type", Plan: "drawing" },
    },
  },
  {
    name: "headings behind the first batch, in a row that is given",
    body: `${"title\n".repeat(7000)}${csv()}`,
    options: { header_row: 7001 },
  },
  { name: "a name that says otherwise", body: csv(), fileName: "rows.txt" },
];

function seen({ job }: Outcome): unknown {
  const preview = (job.result?.preview ?? []) as Record<string, unknown>[];
  return preview.map(({ tag, description, quantity }) => [tag, description, String(quantity)]);
}

Deno.test("import says so when there is no row where the headings should be", async () => {
  await using it = await importer(stack);
  for (const header_row of [9, 1_000_000]) {
    const { job } = await it.check(csv(), { options: { header_row } });
    assertEquals([job.error?.code, job.error?.details], ["missing_columns", { header_row }]);
  }
});

Deno.test("import reads the same rows out of every form of CSV", async (t) => {
  await using it = await importer(stack);
  for (const { name, body, fileName, options, found = {}, newline = "\n" } of CSV_FORMS) {
    await t.step(name, async () => {
      const check = await it.check(body, {
        ...(fileName ? { name: fileName } : {}),
        ...(options ? { options } : {}),
      });
      assertEquals([check.job.error, check.problems], [null, []]);
      const texts = ROWS.map((row) => row.map((text) => text.replaceAll("\n", newline)));
      assertEquals(seen(check), texts);
      for (const [key, value] of Object.entries(found)) assertEquals(check.job.result?.[key], value);
    });
  }
});

function book(sheets: Record<string, WorkSheet>, options: { bookSST?: boolean } = {}): Uint8Array {
  const workbook: WorkBook = { SheetNames: Object.keys(sheets), Sheets: sheets };
  return new Uint8Array(write(workbook, { type: "array", bookType: "xlsx", ...options }));
}

const CELLS = [
  HEADINGS,
  ...ROWS.map(([tag, text, quantity]) => [tag, text, Number(quantity), "spool", "D-1"]),
];

/** The rows with quantities that formulas have worked out. */
function withFormulas(): WorkSheet {
  const sheet = utils.aoa_to_sheet(CELLS);
  sheet.C2 = { t: "n", f: "3/2", v: 1.5 } satisfies CellObject;
  sheet.B2 = { t: "s", f: 'CONCATENATE(4,CHAR(34)," pipe")', v: '4" pipe' } satisfies CellObject;
  return sheet;
}

async function ownWriter(rows: Cell[][]): Promise<Uint8Array> {
  return new Uint8Array(await new Response(writeXlsx(rows)).arrayBuffer());
}

const other = utils.aoa_to_sheet([["Nothing", "of", "interest"], [1, 2, 3]]);
const WORKBOOKS: (Form & { name: string })[] = [
  { name: "shared strings", body: book({ Sheet1: utils.aoa_to_sheet(CELLS) }, { bookSST: true }) },
  { name: "strings in their cells", body: await ownWriter(CELLS) },
  { name: "results of formulas", body: book({ Sheet1: withFormulas() }) },
  {
    name: "rows below titles",
    body: book({ Sheet1: utils.aoa_to_sheet([["Line list"], [], ["2025"], ...CELLS]) }),
  },
  {
    name: "a sheet that is named",
    body: book({ Cover: other, Parts: utils.aoa_to_sheet(CELLS) }),
    options: { sheet: "Parts" },
    found: { sheet: "Parts" },
  },
  {
    name: "a name that says otherwise",
    body: book({ Sheet1: utils.aoa_to_sheet(CELLS) }),
    fileName: "rows.csv",
  },
];

Deno.test("import reads the same rows out of every form of workbook", async (t) => {
  await using it = await importer(stack);
  for (const { name, body, fileName = "rows.xlsx", options, found = {} } of WORKBOOKS) {
    await t.step(name, async () => {
      const check = await it.check(body, { name: fileName, ...(options ? { options } : {}) });
      assertEquals([check.job.error, check.problems], [null, []]);
      assertEquals(seen(check), ROWS);
      for (const [key, value] of Object.entries(found)) assertEquals(check.job.result?.[key], value);
    });
  }
});

Deno.test("import tells how many rows of a workbook it left out because they are hidden", async () => {
  await using it = await importer(stack);
  const rows = [["Tag", "Type", "Drawing"], ...["A", "B", "C", "D"].map((tag) => [tag, "spool", "D-1"])];
  const sheet = utils.aoa_to_sheet(rows);
  sheet["!rows"] = [{}, {}, { hidden: true }, {}, { hidden: true }];
  const workbook = utils.book_new(sheet, "Filtered");
  const check = await it.check(write(workbook, { type: "array", bookType: "xlsx" }), {
    name: "filtered.xlsx",
  });
  assertEquals([check.job.result?.rows, check.job.result?.hidden_rows], [2, 2]);
  const csv = await it.check("Tag,Type,Drawing\nA,spool,D-1\n");
  assertEquals("hidden_rows" in (csv.job.result ?? {}), false);
});

Deno.test("import takes numbers, dates and booleans of a workbook as texts where texts are wanted", async () => {
  await using it = await importer(stack);
  const rows: Cell[][] = [
    ["Tag", "Type", "Drawing", "Description", "Area"],
    [1001, "spool", "D-1", new DateCell("2025-12-31"), true],
    [0.1, "spool", "D-1", new DateCell("2025-12-31T08:30:00"), null],
    [123456789012, "spool", "D-1", null, false],
  ];
  const check = await it.check(await ownWriter(rows), { name: "rows.xlsx" });
  assertEquals(check.problems, []);
  const preview = check.job.result?.preview as Record<string, unknown>[];
  assertEquals(preview.map(({ tag, description, area }) => [tag, description, area]), [
    ["1001", "2025-12-31", "true"],
    ["0.1", "2025-12-31T08:30:00", null],
    ["123456789012", null, "false"],
  ]);
});

Deno.test("import calls a row of a CSV malformed that has more or fewer cells than the headings", async () => {
  await using it = await importer(stack);
  const check = await it.check(
    'Tag,Type,Drawing\nA,spool\nB,spool,D-1,x\nC,spool,D-1,,\n"two\nlines",spool,D-1\nD,spool\n',
  );
  assertEquals(check.problems.map(({ row, line, code, message }) => [row, line, code, message]), [
    [2, 2, "malformed_row", "The row has 2 cells: expected 3, as the headings"],
    [3, 3, "malformed_row", "The row has 4 cells: expected 3, as the headings"],
    [6, 7, "malformed_row", "The row has 2 cells: expected 3, as the headings"],
  ]);
  assertEquals([check.job.result?.valid, check.job.result?.invalid], [2, 3]);
});

Deno.test("import calls a row invalid whose bytes are no text, and one with a quote that never closes", async () => {
  await using it = await importer(stack);
  const broken = new Uint8Array([
    ...new TextEncoder().encode("Tag,Type,Drawing\nÄ,spool,D-1\nB"),
    0xff,
    0xfe,
    44,
  ]);
  const rest = new TextEncoder().encode('spool,D-1\nC,spool,D-1\n"D,spool,D-1\nE,spool,D-1\n');
  const check = await it.check(new Uint8Array([...broken, ...rest]), { options: { encoding: "utf-8" } });
  const codes = check.problems.map(({ row, code }) => [row, code]);
  assertEquals(codes.slice(0, 2), [[3, "invalid_text"], [5, "malformed_row"]]);
  assert(Number(check.job.result?.valid) >= 2);
});

const REFUSED: (Form & { code: string; message: string })[] = [
  {
    name: "nothing",
    body: "",
    code: "empty_file",
    message: "Cannot import an empty file: expected headings and rows",
  },
  {
    name: "blank lines only",
    body: "\n\n\n",
    code: "empty_file",
    message: "Cannot import an empty file: expected headings and rows",
  },
  {
    name: "other headings",
    body: "Name,Phone\nA,1\n",
    code: "missing_columns",
    message:
      "Cannot find the columns Tag, Type, Drawing: found a row of 2 cells, none of which is a heading of the dataset; " +
      "expected a row of headings above the data",
  },
  {
    name: "one heading of its own among others",
    body: "Tag,Phone\nA,1\n",
    code: "missing_columns",
    message: 'Cannot find the columns Type, Drawing: found the headings "Tag", "Phone"',
  },
  {
    name: "two headings for one column",
    body: "Tag,Mark,Type,Drawing\nA,B,spool,D-1\n",
    code: "ambiguous_columns",
    message:
      'Cannot tell which heading is Tag: found "Tag" and "Mark", expected one; say which with the option "columns"',
  },
  {
    name: "a mapping to nothing",
    body: csv(),
    options: { columns: { Tagg: "tag" } },
    code: "unknown_columns",
    message: 'Cannot map the heading "Tagg": the file has no such heading, the nearest is "Tag"',
  },
  {
    name: "an encoding that nobody knows",
    body: csv(),
    options: { encoding: "klingon" },
    code: "invalid_request",
    message: "",
  },
  {
    name: "a sheet that is not there",
    body: book({ Parts: utils.aoa_to_sheet(CELLS), Cover: other }),
    fileName: "rows.xlsx",
    options: { sheet: "Part" },
    code: "unknown_sheet",
    message: 'Cannot find the sheet "Part": found "Parts", "Cover"; the nearest is "Parts"',
  },
  {
    name: "an archive that is no workbook",
    body: new Uint8Array([0x50, 0x4b, 5, 6, ...new Array(18).fill(0)]),
    fileName: "rows.xlsx",
    code: "unsupported_format",
    message: "",
  },
  {
    name: "a PDF under another name",
    body: "%PDF-1.7\n1 0 obj, <<>>, endobj\n",
    code: "unsupported_format",
    message:
      "Cannot read the file: found a PDF, expected a .csv or .xlsx: export the table from where the PDF was made",
  },
  {
    name: "more problems than are allowed",
    body: `Tag,Type,Drawing\n${"A,nothing,D-1\n".repeat(5)}`,
    options: { stop_after_problems: 3 },
    code: "too_many_problems",
    message: "Cannot go on with the check: found 5 rows with problems, expected fewer than 3",
  },
];

Deno.test("import ends with an error for a file that cannot be imported as a whole", async (t) => {
  await using it = await importer(stack);
  for (const { name, body, fileName, options, code, message } of REFUSED) {
    await t.step(name, async () => {
      const { job } = await it.check(body, {
        ...(fileName ? { name: fileName } : {}),
        ...(options ? { options } : {}),
      });
      assertEquals([job.state, job.error?.code, job.result], ["failed", code, null]);
      if (message) assertEquals(job.error?.message, message);
    });
  }
});

Deno.test("import notices that a file was replaced before it was read", async () => {
  await using it = await importer(stack);
  const request = await it.request(csv());
  const { data: { job } } = await it.person.client.schema("jobs").rpc("enqueue_job", {
    p_function: "import",
    p_kind: "import_check",
    p_org_id: it.orgId,
    p_params: request,
    p_file: request.file,
  }).throwOnError();
  const { path } = request.file as { path: string };
  const { error } = await it.person.client.storage.from("imports").update(path, new Blob(["Tag\n"]), {
    contentType: "text/csv",
  });
  assertEquals(error, null);
  const slice = await fetch(`${stack.url}/functions/v1/import`, {
    method: "POST",
    headers: { apikey: stack.secretKey },
    body: JSON.stringify({ job_id: job.id }),
  });
  await slice.body?.cancel();
  const ended = await it.follow(job.id);
  assertEquals([ended.job.state, ended.job.error?.code], ["failed", "file_changed"]);
});

Deno.test("import repeats nothing of a file without headings, neither in the error nor in its details", async () => {
  await using it = await importer(stack, { drawings: ["D-1"] });
  const data = "Jane Doe,+1 202 555 0147,secret\nJohn Roe,+1 202 555 0148,secret\n";
  for (
    const options of [{}, { columns: { Name: "tag" } }, { columns: { "Jane D": "tag" } }, { header_row: 2 }]
  ) {
    const { job } = await it.check(data, { options });
    assertEquals(job.state, "failed");
    assert(["missing_columns", "unknown_columns"].includes(job.error!.code));
    assert(!/Doe|Roe|555|secret/.test(JSON.stringify(job.error)), JSON.stringify(job.error));
    assertEquals(job.error!.details?.["cells"], 3);
  }
});
