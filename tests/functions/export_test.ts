/** Exports over HTTP: what there is, who may have it, what is in the files, and what is refused. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import * as XLSX from "xlsx";
import { ExportRequest, SliceRequest } from "../../functions/export/schema.ts";
import {
  bodyOf,
  type Exporter,
  exporter,
  fileOf,
  readCsv,
  readNdjson,
  readWorkbook,
  sha256,
} from "../helpers/exports.ts";
import { post } from "../helpers/imports.ts";
import { anonymous, type Person, signUp } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";

const stack = await testStack();

const HEADINGS = [
  "Tag",
  "Description",
  "Type",
  "Drawing",
  "Area",
  "System",
  "Test package",
  "Spec",
  "Size",
  "Quantity",
  "Weight (kg)",
  "Complete (%)",
  "Last change (UTC)",
];

/** Texts that formats have to get right; in the order of their tags. */
const TEXTS: [description: string | null, inCsv: string][] = [
  ["plain", "plain"],
  ["with, comma", "with, comma"],
  ['4" pipe', '4" pipe'],
  ["back\\slash\\\\two", "back\\slash\\\\two"],
  ["(in brackets)", "(in brackets)"],
  ["two\nlines", "two\nlines"],
  ["Ünïcødé 漢字 🙂", "Ünïcødé 漢字 🙂"],
  [" spaces ", " spaces "],
  ["", ""],
  [null, ""],
  ["=1+1", "'=1+1"],
  ["+SUM(A1)", "'+SUM(A1)"],
  ["-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"],
  ["@SUM(1)", "'@SUM(1)"],
  ["\t=1", "'\t=1"],
  ["\r=1", "'\r=1"],
  ["＝1+1", "'＝1+1"],
  ["-12.5", "-12.5"],
  ["+44 20 7946 0000", "'+44 20 7946 0000"],
];

/** The XML files in a workbook. */
function partsOf(bytes: Uint8Array): (name: string) => string {
  const archive = XLSX.CFB.read(bytes, { type: "array" });
  return (name) =>
    new TextDecoder().decode(
      Uint8Array.from(XLSX.CFB.find(archive, `/${name}`)!.content as ArrayLike<number>),
    );
}

async function withTexts(): Promise<Exporter> {
  const it = await exporter(stack);
  await it.fill(TEXTS.map(([description], n) => ({
    tag: `T-${String(n).padStart(2, "0")}`,
    description,
    quantity: n % 2 ? 1.5 : null,
    weight_kg: 0,
    percent_complete: n,
    updated_at: "2026-02-03T04:05:06Z",
  })));
  return it;
}

/** Somebody else in the organization, with a role in the project where one is named. */
async function colleague(it: Exporter, role: string, projectRole?: string): Promise<Person> {
  const person = await signUp(stack, role);
  await it.person.client.rpc("add_member", { p_org_id: it.orgId, p_email: person.email, p_role: role })
    .throwOnError();
  if (projectRole) {
    await it.person.client.schema("pipetrak").from("project_members")
      .insert({ project_id: it.projectId, user_id: person.userId, role: projectRole }).throwOnError();
  }
  return person;
}

Deno.test("GET export lists the reports with their columns, filters as JSON Schema and formats", async () => {
  const person = await signUp(stack);
  const headers = { apikey: stack.publishableKey, authorization: `Bearer ${person.accessToken}` };
  const answer = await fetch(`${stack.url}/functions/v1/export`, { headers });
  assertEquals(answer.status, 200);
  const { reports } = await answer.json();
  const components = reports.find(({ name }: { name: string }) => name === "pipetrak.components");
  assertEquals([components.title, components.formats], ["Components with progress", [
    "csv",
    "xlsx",
    "ndjson",
  ]]);
  assertEquals(components.columns[0], { name: "tag", heading: "Tag", type: "text" });
  const { type, required, properties, additionalProperties } = components.filters;
  assertEquals([type, required, additionalProperties], ["object", ["project_id"], false]);
  assertEquals([properties.project_id.format, properties.updated_at_from.format], ["uuid", "date"]);
  const one = await fetch(`${stack.url}/functions/v1/export?report=pipetrak.drawing`, { headers });
  assertEquals([one.status, (await one.json()).code], [404, "unknown_report"]);
});

Deno.test("POST export writes a CSV that spreadsheets read as it was and run nothing of", async () => {
  await using it = await withTexts();
  const answer = await it.start();
  assertEquals([answer.status, answer.body.job.kind, answer.body.job.org_id], [202, "export", it.orgId]);
  const { job } = await it.follow(answer.body.job.id);
  const file = fileOf(job);
  assertEquals(file.bucket, "exports");
  assertMatch(file.path, new RegExp(`^${it.orgId}/${job.id}/\\d+/components[.]csv$`));
  const bytes = await it.download(job);
  assertEquals([file.bytes, file.rows, file.sha256], [bytes.length, TEXTS.length, await sha256(bytes)]);
  assertEquals([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const [headings, ...rows] = readCsv(bytes);
  assertEquals(headings, HEADINGS);
  assertEquals(rows.map(([, description]) => description), TEXTS.map(([, inCsv]) => inCsv));
  assertEquals(rows[1], [
    "T-01",
    "with, comma",
    "spool",
    "D-1",
    "",
    "",
    "",
    "",
    "",
    "1.5",
    "0",
    "1.00",
    "2026-02-03 04:05:06",
  ]);
  assertEquals([job.progress.done, job.progress.phase, job.progress.bytes], [
    TEXTS.length,
    "writing",
    bytes.length,
  ]);
});

Deno.test("POST export writes a workbook with numbers as numbers and times as times", async () => {
  await using it = await withTexts();
  const job = await it.export({ format: "xlsx" });
  const bytes = await it.download(job);
  assertEquals([fileOf(job).bytes, fileOf(job).sha256], [bytes.length, await sha256(bytes)]);
  const { workbook, rows: [headings, ...rows] } = readWorkbook(bytes);
  assertEquals([workbook.SheetNames, headings], [["Components with progress"], HEADINGS]);
  assertEquals(rows.map((row) => row[1]), TEXTS.map(([text]) => text));
  const time = rows[1]?.at(-1) as Date;
  // SheetJS cuts fractions of a day to milliseconds.
  assertEquals(Math.round(time.getTime() / 1000), Date.parse("2026-02-03T04:05:06Z") / 1000);
  assertEquals(rows[1]?.slice(9, 12), [1.5, 0, 1]);
  const cells = Object.values(workbook.Sheets["Components with progress"]!) as { f?: string }[];
  assertEquals(cells.filter((cell) => cell?.f !== undefined), []);
});

Deno.test("POST export writes a workbook that people can read: headings, widths, formats, the first row, filters", async () => {
  await using it = await withTexts();
  const columns = ["tag", "description", "quantity", "updated_at"];
  const bytes = await it.download(await it.export({ format: "xlsx", columns }));
  const { workbook } = readWorkbook(bytes);
  const sheet = workbook.Sheets["Components with progress"]!;
  const part = partsOf(bytes);
  const look = part("xl/worksheets/sheet1.xml");
  assertMatch(look, /<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"\/>/);
  assertEquals(sheet["!autofilter"], { ref: `A1:D${TEXTS.length + 1}` });
  const widths = [...look.matchAll(/<col min="(\d)" max="\1" width="([\d.]+)"/g)].map(([, , width]) =>
    Number(width)
  );
  // The report says the first two; a time has to fit into the last.
  assertEquals([widths.length, ...widths.slice(0, 2)], [4, 20, 36]);
  assert(widths[2]! >= "Quantity".length && widths[3]! >= "2026-02-03 04:05:06".length, widths.join(", "));
  const fonts = [...part("xl/styles.xml").matchAll(/<font>.*?<\/font>/g)].map(([font]) =>
    font.includes("<b/>")
  );
  const formats = [...part("xl/styles.xml").matchAll(/<numFmt numFmtId="(\d+)" formatCode="([^"]+)"/g)];
  const styles = [
    ...part("xl/styles.xml").split("<cellXfs")[1]!.matchAll(/<xf numFmtId="(\d+)" fontId="(\d)"/g),
  ];
  const styleOf = (cell: string) => {
    const [, format, font] =
      styles[Number(new RegExp(`<c r="${cell}"[^>]* s="(\\d+)"`).exec(look)?.[1] ?? 0)]!;
    return { bold: fonts[Number(font)], format: formats.find(([, id]) => id === format)?.[2] ?? null };
  };
  for (const heading of ["A1", "B1", "C1", "D1"]) {
    assertEquals(styleOf(heading), { bold: true, format: null });
  }
  assertEquals(styleOf("A3"), { bold: false, format: null });
  assertEquals(styleOf("D3"), { bold: false, format: "yyyy\\-mm\\-dd\\ hh:mm:ss" });
});

Deno.test("POST export writes NDJSON with every value as it is", async () => {
  await using it = await withTexts();
  const job = await it.export({
    format: "ndjson",
    columns: ["updated_at", "description", "percent_complete"],
  });
  const rows = readNdjson(await it.download(job));
  assertEquals(
    rows,
    TEXTS.map(([description], n) => ({
      updated_at: "2026-02-03T04:05:06+00:00",
      description,
      percent_complete: n,
    })),
  );
  assertEquals(Object.keys(rows[0]!), ["updated_at", "description", "percent_complete"]);
});

Deno.test("POST export takes the columns and the rows that are asked for", async () => {
  await using it = await exporter(stack);
  await it.fill([
    { tag: "A", type: "spool", area: "N", percent_complete: 10, updated_at: "2026-01-31T23:59:59Z" },
    { tag: "B", type: "valve", area: "N", percent_complete: 20, updated_at: "2026-02-01T00:00:00Z" },
    { tag: "C", type: "gasket", area: "S'; drop", percent_complete: 30, updated_at: "2026-02-02T23:59:59Z" },
    { tag: "D", type: "valve", area: null, percent_complete: 40, updated_at: "2026-02-03T00:00:00Z" },
  ]);
  const cases: [filters: Record<string, unknown>, tags: string[]][] = [
    [{ type: "valve" }, ["B", "D"]],
    [{ type: ["valve", "gasket"] }, ["B", "C", "D"]],
    [{ area: "S'; drop" }, ["C"]],
    [{ area: ["N", '{"x"}'] }, ["A", "B"]],
    [{ percent_complete_from: 20, percent_complete_to: 30 }, ["B", "C"]],
    [{ updated_at_from: "2026-02-01", updated_at_to: "2026-02-02" }, ["B", "C"]],
    [{ updated_at_to: "2026-01-31" }, ["A"]],
    [{ type: "valve", area: "N" }, ["B"]],
  ];
  for (const [filters, tags] of cases) {
    const [headings, ...rows] = readCsv(
      await it.download(await it.export({ filters, columns: ["percent_complete", "tag"] })),
    );
    assertEquals(headings, ["Complete (%)", "Tag"]);
    assertEquals(rows.map(([, tag]) => tag), tags, JSON.stringify(filters));
  }
});

Deno.test("POST export writes the headings where there are no rows", async () => {
  await using it = await exporter(stack);
  const csv = await it.export();
  assertEquals([fileOf(csv).rows, readCsv(await it.download(csv))], [0, [HEADINGS]]);
  const xlsx = await it.export({ format: "xlsx" });
  assertEquals([fileOf(xlsx).rows, readWorkbook(await it.download(xlsx)).rows], [0, [HEADINGS]]);
  const ndjson = await it.export({ format: "ndjson" });
  assertEquals([fileOf(ndjson).rows, fileOf(ndjson).bytes], [0, 0]);
});

Deno.test("POST export tells a single column's missing values from missing rows", async () => {
  await using it = await exporter(stack);
  await it.fill([{ tag: "A" }, { tag: "B", area: "N" }]);
  const bytes = await it.download(await it.export({ columns: ["area"] }));
  assertEquals(new TextDecoder().decode(bytes), 'Area\r\n""\r\nN\r\n');
});

Deno.test("POST export refuses what a report does not have, with the path of each issue", async (t) => {
  await using it = await exporter(stack);
  const cases: [name: string, body: unknown, status: number, code: string, path: string | undefined][] = [
    [
      "an unknown report",
      bodyOf(it.projectId, { report: "pipetrak.component" }),
      404,
      "unknown_report",
      undefined,
    ],
    ["an unknown format", bodyOf(it.projectId, { format: "pdf" }), 400, "invalid_request", "format"],
    [
      "an unknown column",
      bodyOf(it.projectId, { columns: ["tag", "taq"] }),
      400,
      "invalid_request",
      "columns.1",
    ],
    [
      "a column twice",
      bodyOf(it.projectId, { columns: ["tag", "tag"] }),
      400,
      "invalid_request",
      "columns.1",
    ],
    ["no column", bodyOf(it.projectId, { columns: [] }), 400, "invalid_request", "columns"],
    [
      "an unknown filter",
      bodyOf(it.projectId, { filters: { arae: "N" } }),
      400,
      "invalid_request",
      "filters.arae",
    ],
    [
      "a value that is none",
      bodyOf(it.projectId, { filters: { type: "spol" } }),
      400,
      "invalid_request",
      "filters.type",
    ],
    [
      "one of several",
      bodyOf(it.projectId, { filters: { type: ["spool", "spol"] } }),
      400,
      "invalid_request",
      "filters.type.1",
    ],
    [
      "a backwards range of dates",
      bodyOf(it.projectId, { filters: { updated_at_from: "2026-02-02", updated_at_to: "2026-02-01" } }),
      400,
      "invalid_request",
      "filters.updated_at_to",
    ],
    [
      "a day that is none",
      bodyOf(it.projectId, { filters: { updated_at_from: "2026-02-30" } }),
      400,
      "invalid_request",
      "filters.updated_at_from",
    ],
    [
      "a year that the calendar has not",
      bodyOf(it.projectId, { filters: { updated_at_from: "0000-01-01" } }),
      400,
      "invalid_request",
      "filters.updated_at_from",
    ],
    [
      "a NUL",
      bodyOf(it.projectId, { filters: { area: ["N", "a\u0000b"] } }),
      400,
      "invalid_request",
      "filters.area.1",
    ],
    [
      "half a character",
      bodyOf(it.projectId, { filters: { area: "\ud800" } }),
      400,
      "invalid_request",
      "filters.area",
    ],
    [
      "a name with a NUL",
      bodyOf(it.projectId, { filters: { "a\u0000": 1 } }),
      400,
      "invalid_request",
      "filters",
    ],
    [
      "no project",
      { report: "pipetrak.components", format: "csv" },
      400,
      "invalid_request",
      "filters.project_id",
    ],
    ["no format", { report: "pipetrak.components" }, 400, "invalid_request", "format"],
    ["an unknown field", { ...bodyOf(it.projectId, {}), coloms: ["tag"] }, 400, "invalid_request", ""],
    ["no JSON", "{", 400, "invalid_request", ""],
  ];
  for (const [name, body, status, code, path] of cases) {
    await t.step(name, async () => {
      const answer = await post(it, "export", { body });
      assertEquals([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
      if (path !== undefined) assertEquals(answer.body.details.issues[0].path, path);
    });
  }
  assertEquals([...await it.admin`select id from jobs.jobs where org_id = ${it.orgId}`], []);
});

Deno.test("POST export asks whether the caller may read the project", async (t) => {
  await using it = await exporter(stack);
  await using other = await exporter(stack);
  await it.fill([{ tag: "A" }]);
  const cases: [name: string, person: Person, allowed: boolean][] = [
    ["the owner", it.person, true],
    ["a viewer of the organization", await colleague(it, "viewer"), true],
    ["a viewer of the project", await colleague(it, "member", "viewer"), true],
    ["a member without the project", await colleague(it, "member"), false],
    ["a stranger", other.person, false],
  ];
  for (const [name, person, allowed] of cases) {
    await t.step(name, async () => {
      const answer = await it.start({}, person);
      assertEquals([answer.status, answer.body.code], allowed ? [202, undefined] : [403, "not_allowed"]);
      if (allowed) assertEquals(fileOf((await it.as(person).follow(answer.body.job.id)).job).rows, 1);
    });
  }
  const nobody = await fetch(`${stack.url}/functions/v1/export`, {
    method: "POST",
    headers: { apikey: stack.publishableKey },
    body: JSON.stringify(bodyOf(it.projectId, {})),
  });
  assertEquals([nobody.status, (await nobody.json()).code], [401, "not_authenticated"]);
});

Deno.test("The file of an export is read by whoever may read its job, and written by nobody", async () => {
  await using it = await exporter(stack);
  await using other = await exporter(stack);
  await it.fill([{ tag: "A" }]);
  const asker = await colleague(it, "member", "viewer");
  const { body } = await it.start({}, asker);
  const { job } = await it.as(asker).follow(body.job.id);
  const { bucket, path } = fileOf(job);
  const reads = async (client: Person["client"]) =>
    (await client.storage.from(bucket).download(path)).error === null;
  assertEquals(
    [
      await reads(asker.client),
      await reads(it.person.client),
      await reads((await colleague(it, "member", "engineer")).client),
      await reads(other.person.client),
      await reads(anonymous(stack)),
    ],
    [true, true, false, false, false],
  );
  const { error } = await asker.client.storage.from(bucket).update(path, new Blob(["x"]), {
    contentType: "text/csv",
  });
  assert(error);
});

Deno.test("An export that was started past the function has its owner's rights and no more", async () => {
  await using it = await exporter(stack);
  await using other = await exporter(stack);
  await other.fill([{ tag: "SECRET" }]);
  for (
    const params of [
      bodyOf(other.projectId, {}),
      { ...bodyOf(other.projectId, {}), report: "pg_catalog.pg_authid" },
      {},
      { ...bodyOf(it.projectId, {}), filters: [] },
      bodyOf(it.projectId, { filters: { updated_at_from: "0000-01-01" } }),
    ]
  ) {
    const { data } = await it.person.client.schema("jobs").rpc("enqueue_job", {
      p_function: "export",
      p_kind: "export",
      p_org_id: it.orgId,
      p_params: params,
    }).throwOnError();
    await it.admin`select jobs_private.nudge(${data.job.id})`;
    const { job } = await it.follow(data.job.id);
    assertEquals([job.state, job.attempt], ["failed", 1]);
    assert(["not_allowed", "unknown_report", "invalid_request"].includes(job.error!.code), job.error!.code);
    assertEquals(await it.objects(job.id), []);
  }
});

Deno.test("pipetrak.progress rolls up by what is asked for", async () => {
  await using it = await exporter(stack);
  await it.fill([
    { tag: "A", area: "N", percent_complete: 100, weight_kg: 10 },
    { tag: "B", area: "N", percent_complete: 50, weight_kg: 2.5 },
    { tag: "C", area: "S", percent_complete: 0 },
    { tag: "D", percent_complete: 100 },
  ]);
  const job = await it.export({ report: "pipetrak.progress", filters: { by: ["area", "drawing"] } });
  assertEquals(readCsv(await it.download(job)).slice(1), [
    ["area", "N", "2", "0", "1", "1", "75.00", "12.5"],
    ["area", "S", "1", "1", "0", "0", "0.00", ""],
    ["area", "", "1", "0", "0", "1", "100.00", ""],
    ["drawing", "D-1", "4", "1", "1", "2", "62.50", "12.5"],
  ]);
});

Deno.test("pipetrak.drawings is the register with what each drawing holds", async () => {
  await using it = await exporter(stack);
  await it.fill([{ tag: "A", percent_complete: 100 }, { tag: "B", percent_complete: 50 }]);
  const job = await it.export({
    report: "pipetrak.drawings",
    columns: ["number", "components", "percent_complete"],
  });
  assertEquals(readCsv(await it.download(job)).slice(1), [["D-1", "2", "75.00"], ["D-2", "0", ""]]);
});

Deno.test("pipetrak.import_problems has the problems of an import for whoever may read the import", async () => {
  await using it = await exporter(stack);
  await using other = await exporter(stack);
  const { job: check } = await it.check("Tag,Type,Drawing\nA,spol,D-1\nB,spool,D-9\n");
  const body = { report: "pipetrak.import_problems", format: "csv", filters: { import_id: check.id } };
  const stranger = await post(other, "export", { body });
  assertEquals([stranger.status, stranger.body.code], [403, "not_allowed"]);
  const answer = await post(it, "export", { body: { ...body, columns: ["row", "column", "code", "value"] } });
  const { job } = await it.follow(answer.body.job.id);
  assertEquals(readCsv(await it.download(job)).slice(1), [
    ["2", "type", "not_in_list", "spol"],
    ["3", "drawing", "unknown_reference", "D-9"],
  ]);
});

Deno.test("POST export gives the same job for the same Idempotency-Key", async () => {
  await using it = await exporter(stack);
  const request = { body: bodyOf(it.projectId, {}), headers: { "idempotency-key": crypto.randomUUID() } };
  const [first, second] = [await post(it, "export", request), await post(it, "export", request)];
  assertEquals([first.status, second.status, second.body.job.id], [202, 202, first.body.job.id]);
  const other = await post(it, "export", { ...request, body: bodyOf(it.projectId, { format: "xlsx" }) });
  assertEquals([other.status, other.body.code], [409, "idempotency_conflict"]);
  await it.follow(first.body.job.id);
});

Deno.test("The schemas of export take the requests of the documents, and no others", () => {
  const body = {
    report: "pipetrak.components",
    format: "csv",
    filters: { project_id: "x" },
    columns: ["tag"],
  };
  assertEquals(ExportRequest.parse(body), body);
  assert(!ExportRequest.safeParse({ ...body, org_id: "x" }).success);
  assert(!SliceRequest.safeParse({ job_id: "x" }).success);
});
