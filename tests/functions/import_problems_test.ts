/** Problems of single rows: every code with its coordinates and its words, and the file that hands them back. */
import { assertEquals, assertMatch } from "@std/assert";
import Papa from "papaparse";
import { type Cell, DateCell } from "../../shared/formats/reader.ts";
import { writeXlsx } from "../../shared/formats/xlsx/mod.ts";
import { type Importer, importer, labStack, type Outcome, post, type Problem } from "../helpers/imports.ts";
import { anonymous } from "../helpers/people.ts";

const stack = await labStack();

type Told = [row: number, column: string | null, code: string, message: string, value: string | null];

function told({ problems }: Outcome): Told[] {
  return problems.map(({ row, column, code, message, value }) => [row, column, code, message, value]);
}

function codes({ problems }: Outcome): [number, string][] {
  return problems.map(({ row, code }) => [row, code]);
}

function counts({ job }: Outcome): unknown {
  return job.result?.would;
}

const HEAD = "Tag,Type,Drawing,Quantity\n";

Deno.test("import tells what a database's types refuse", async () => {
  await using it = await importer(stack);
  const check = await it.check(
    "Name,Code,Mood,Score,Age,Born,Friend\n" +
      "A,ABCDE,,,,,\n" +
      "B,,happy,,,,\n" +
      "C,,,100000,,,\n" +
      "D,,,,200,,\n" +
      "E,,,,,4000-02-30,\n" +
      "F,,,,,,Adda\n" +
      "G,,,,,,Elizabeth\n" +
      "H,ABCD,fine,9.5,1,2025-12-31,Ada\n",
    { dataset: "lab.people" },
  );
  assertEquals(told(check), [
    [2, "code", "too_long", 'Code "ABCDE" is no character varying(4): it is too long', "ABCDE"],
    [3, "mood", "not_in_list", 'Mood "happy" is no lab.mood: expected one of fine, tired', "happy"],
    [4, "score", "out_of_range", 'Score "100000" is no numeric(6,2): it is out of range', "100000"],
    [5, "age", "out_of_range", 'Age "200" is too large: expected at most 150', "200"],
    [
      6,
      "born",
      "invalid_date",
      'Born "4000-02-30" is no date: expected one such as 2025-12-31',
      "4000-02-30",
    ],
    [7, "friend", "unknown_reference", 'Friend "Adda" was not found; the nearest is "Ada"', "Adda"],
    [8, "friend", "unknown_reference", 'Friend "Elizabeth" was not found', "Elizabeth"],
  ]);
  assertEquals(counts(check), { insert: 1, update: 0, unchanged: 0 });
});

Deno.test("import tells what CHECKs, policies and triggers refuse", async () => {
  await using it = await importer(stack);
  const check = await it.check(
    "Name,Age,Score\nOld,1,500\nMallory,,\nNobody,,\nGhost,,\nFine,1,100\n",
    { dataset: "lab.people" },
  );
  assertEquals(told(check), [
    [
      2,
      null,
      "rule_violated",
      'The row breaks the rule "age_fits_score": the score is at most a hundred times the age',
      null,
    ],
    [3, null, "not_allowed", "A policy of the table does not allow you to write this row", null],
    [4, null, "rule_violated", "A trigger of the table refuses this row: Nobody is not welcome", null],
    [5, null, "rule_violated", "A trigger of the table leaves this row out", null],
  ]);
  assertEquals(check.job.result?.problems_by_code, { rule_violated: 3, not_allowed: 1 });
  assertEquals([check.job.result?.rows, check.job.result?.invalid, counts(check)], [
    5,
    4,
    { insert: 1, update: 0, unchanged: 0 },
  ]);
  const preview = check.job.result?.preview as { name: string; score: number }[];
  assertEquals(preview.map(({ name, score }) => [name, score]), [["Fine", 100]]);
  const commit = await it.commit(check, { policy: "valid_rows" });
  assertEquals(commit.job.result, { inserted: 1, updated: 0, unchanged: 0, skipped: 4, failed: 0 });
});

Deno.test("import tells which rows a trigger leaves out, also where rows are changed", async () => {
  await using it = await importer(stack);
  await it.admin`alter table lab.people disable trigger user`;
  await it.admin`
    insert into lab.people (project_id, name, age) values
      (${it.projectId}, 'Ghost', 1), (${it.projectId}, 'Ada', 1), (${it.projectId}, 'Same', 1)`;
  await it.admin`alter table lab.people enable trigger user`;
  for (const [mode, rows] of [["update", ""], ["upsert", "Bea,2\n"]] as const) {
    const check = await it.check(`Name,Age\nAda,2\nGhost,2\nSame,1\n${rows}`, {
      dataset: "lab.people",
      options: { mode },
    });
    assertEquals(told(check), [[
      3,
      null,
      "rule_violated",
      "A trigger of the table leaves this row out",
      null,
    ]]);
    assertEquals(counts(check), { insert: mode === "upsert" ? 1 : 0, update: 1, unchanged: 1 });
  }
});

Deno.test("import tells what a database would find out only at the end of the transaction", async () => {
  await using it = await importer(stack);
  const check = await it.check("Name\nAda\nJudas\nBea\n", { dataset: "lab.people" });
  assertEquals(told(check), [
    [
      3,
      null,
      "rule_violated",
      "A trigger of the table refuses this row: Judas is found out at the end",
      null,
    ],
  ]);
  const commit = await it.commit(check, { policy: "valid_rows" });
  assertEquals(commit.job.result, { inserted: 2, updated: 0, unchanged: 0, skipped: 1, failed: 0 });
});

Deno.test("import tells which rows that exist a policy does not let the owner change", async () => {
  await using it = await importer(stack);
  await it.admin`
    insert into lab.people (project_id, name) values (${it.projectId}, 'Frozen'), (${it.projectId}, 'Ada')`;
  for (const mode of ["upsert", "update"]) {
    const check = await it.check("Name,Age\nFrozen,1\nAda,1\n", { dataset: "lab.people", options: { mode } });
    assertEquals(told(check), [
      [2, null, "not_allowed", "A policy of the table does not allow you to write this row", null],
    ]);
    assertEquals(counts(check), { insert: 0, update: 1, unchanged: 0 });
  }
});

Deno.test("import shows a sensitive value to nobody but in the owner's problems.csv", async () => {
  await using it = await importer(stack);
  const secret = "0163296";
  const check = await it.check(
    `Name,Phone,Age\nA,${secret}x,1\nB,12,1\nC,${secret},1\nD,${secret},many\n`,
    { dataset: "lab.people" },
  );
  assertEquals(told(check), [
    [2, "phone", "rule_violated", 'Phone breaks the rule "phone_is_made_of_digits"', "•••"],
    [3, "phone", "invalid_format", "Phone is too short: expected at least 6 digits", "•••"],
    [5, "age", "invalid_number", 'Age "many" is no number: expected digits such as 12.5', "many"],
  ]);
  const preview = check.job.result?.preview as { phone: string }[];
  assertEquals(preview.map(({ phone }) => phone), ["•••"]);
  assertEquals(JSON.stringify([check.job, check.problems]).includes(secret), false);
  assertMatch(await it.problemsFile(check), new RegExp(`A,${secret}x,1,2,rule_violated`));
  const log = await Deno.readTextFile(`${stack.dataDir}/functions.log`);
  assertEquals(log.includes(secret), false);
});

Deno.test("import marks every later row with the key of an earlier valid one, in every mode", async (t) => {
  await using it = await importer(stack);
  await it.set({ chunk_rows: 3 });
  const existing = ["X", "Y", "Z"];
  await it.commit(await it.check(HEAD + existing.map((tag) => `${tag},spool,D-1,1\n`).join("")));
  const rows = [
    "X,spool,D-1,2", // 2: the first X
    "Y,spool,D-1,a few", // 3: no valid Y
    "X,spool,D-1,3", // 4
    "Y,spool,D-1,0", // 5: no valid Y either, as only the database knows
    "Z,spool,D-9,4", // 6: no valid Z, as only the database knows
    "Y,spool,D-1,5", // 7: the first valid Y, in the next chunk
    "Y,spool,D-1,6", // 8
    "Z,spool,D-1,7", // 9: the first valid Z
    "X,spool,D-1,8", // 10
    "Z,spool,D-1,none", // 11: a problem of its own
    "Z,spool,D-1,9", // 12
    "Y,spool,D-1,10", // 13
  ];
  const expected: [number, string][] = [
    [3, "invalid_number"],
    [4, "duplicate_in_file"],
    [5, "rule_violated"],
    [6, "unknown_reference"],
    [8, "duplicate_in_file"],
    [10, "duplicate_in_file"],
    [11, "invalid_number"],
    [12, "duplicate_in_file"],
    [13, "duplicate_in_file"],
  ];
  const firstOf: Record<number, number> = { 4: 2, 8: 7, 10: 2, 12: 9, 13: 7 };
  for (const mode of ["upsert", "update", "insert"]) {
    for (const chunk_rows of [1, 3, 5, 100]) {
      await t.step(`${mode}, ${chunk_rows} rows a chunk`, async () => {
        await it.set({ chunk_rows });
        // Inserting meets no such rows.
        const file = HEAD + (mode === "insert" ? rows.map((row) => `N${row}`) : rows).join("\n");
        const check = await it.check(file, { options: { mode } });
        assertEquals(codes(check), expected);
        for (const { row, code, column, message, value } of check.problems) {
          if (code !== "duplicate_in_file") continue;
          const tag = (mode === "insert" ? "N" : "") + rows[row - 2]![0];
          assertEquals([column, message, value], [
            "tag",
            `Row ${firstOf[row]} of the file has the same Tag; expected each only once`,
            tag,
          ]);
        }
        assertEquals(counts(check), {
          insert: 0,
          update: 0,
          unchanged: 0,
          [mode === "insert" ? "insert" : "update"]: 3,
        });
      });
    }
  }
  await it.set({ chunk_rows: 5000 });
});

Deno.test("import tells apart keys that only look alike", async () => {
  await using it = await importer(stack);
  const check = await it.check(
    HEAD + ["a", "A", " a ", "a.", "1", "1.0", "01"].map((tag) => `${tag},spool,D-1,1\n`).join(""),
  );
  assertEquals(codes(check), [[4, "duplicate_in_file"]]);
});

Deno.test("import tells of rows that exist already, or do not", async () => {
  await using it = await importer(stack);
  await it.commit(await it.check(`${HEAD}A,spool,D-1,1\n`));
  const insert = await it.check(`${HEAD}A,spool,D-1,1\nB,spool,D-1,1\n`);
  assertEquals(told(insert), [
    [2, "tag", "duplicate_existing", "A row with this Tag exists already; expected a new one", "A"],
  ]);
  const update = await it.check(`${HEAD}A,spool,D-1,1\nB,spool,D-1,1\n`, { options: { mode: "update" } });
  assertEquals(told(update), [
    [3, "tag", "conflict", "No row with this Tag exists; expected one to update", "B"],
  ]);
});

Deno.test("import makes the drawings of valid rows where the options say so, and no others", async () => {
  await using it = await importer(stack);
  const file =
    `${HEAD}A,spool,N-1,1\nB,spool,N-2,0\nC,spool,N-3,many\nD,spool,N-1,1\nA,spool,N-4,1\nE,spool,D-1,1\n`;
  const without = await it.check(file);
  assertEquals(counts(without), { insert: 1, update: 0, unchanged: 0 });
  const check = await it.check(file, { options: { create_drawings: true } });
  assertEquals(codes(check), [[3, "rule_violated"], [4, "invalid_number"], [6, "duplicate_in_file"]]);
  const numbers = async () =>
    (await it.admin`select number from pipetrak.drawings where project_id = ${it.projectId} order by 1`)
      .map(({ number }) => number);
  assertEquals(await numbers(), ["D-1", "D-2"]);
  const commit = await it.commit(check, { policy: "valid_rows" });
  assertEquals(commit.job.result, { inserted: 3, updated: 0, unchanged: 0, skipped: 3, failed: 0 });
  assertEquals(await numbers(), ["D-1", "D-2", "N-1"]);
});

Deno.test("import keeps as many problems, and takes as large a file with the request, as the settings say", async () => {
  await using it = await importer(stack);
  await it.set({ problems_kept: 2, multipart_bytes: 1000 });
  const check = await it.check("Tag,Type,Drawing\n,spool,D-1\n,spool,D-1\n,spool,D-1\n");
  assertEquals([check.job.result?.invalid, check.problems.map(({ row }) => row)], [3, [2, 3]]);

  const answer = await post(it, "import", { body: form(it, 1001) });
  assertEquals([answer.status, answer.body.details.limit], [413, 1000]);
  await it.set({ problems_kept: 10_000, multipart_bytes: 6_000_000 });
});

Deno.test("import tells apart why Storage does not take a file that comes with the request", async () => {
  await using it = await importer(stack);
  const cases: [change: string, status: number, code: string][] = [
    ["file_size_limit = 99", 413, "file_too_large"],
    ["allowed_mime_types = '{text/csv}'", 415, "unsupported_format"],
  ];
  const [kept] = await it.admin`
    select file_size_limit, allowed_mime_types from storage.buckets where id = 'imports'`;
  for (const [change, status, code] of cases) {
    await it.admin.unsafe(`update storage.buckets set ${change} where id = 'imports'`);
    const answer = await post(it, "import", { body: form(it, 100) });
    await it.admin`update storage.buckets set ${it.admin(kept!)} where id = 'imports'`;
    assertEquals([answer.status, answer.body.code], [status, code]);
  }
});

function form(it: Importer, bytes: number): FormData {
  const form = new FormData();
  form.set("file", new Blob(["x".repeat(bytes)]), "rows.csv");
  form.set(
    "request",
    JSON.stringify({ dataset: "pipetrak.components", scope: { project_id: it.projectId } }),
  );
  return form;
}

Deno.test("import ends problems.csv with a whole row before it would be too large, and says so", async () => {
  await using it = await importer(stack);
  await it.set({ export_bytes: 1_000_000 });
  const rows = Array.from({ length: 4_000 }, (_, n) => `T-${n},nothing,D-1,"${"x\n".repeat(200)}"\n`);
  const check = await it.check("Tag,Type,Drawing,Remarks\n" + rows.join(""));
  await it.set({ export_bytes: 500_000_000 });
  assertEquals([check.job.state, check.job.result?.invalid, check.job.result?.problems_file_cut], [
    "succeeded",
    4_000,
    true,
  ]);
  const text = await it.problemsFile(check);
  assertEquals(text.length < 1_000_000 && text.length > 500_000, true);
  const { data, errors } = Papa.parse(text.trimEnd());
  assertEquals(errors, []);
  assertEquals((data as string[][]).filter((cells) => cells.length !== 7), []);
  assertEquals((data as string[][]).at(-1)?.[0], `T-${data.length - 2}`);
});

Deno.test("import keeps the first 10,000 problems in the table and all of them in problems.csv", async () => {
  await using it = await importer(stack);
  const rows = Array.from({ length: 6_000 }, (_, n) => `T-${n},nothing,D-1,many\n`);
  const check = await it.check(HEAD + rows.join(""));
  assertEquals(check.job.result?.problems_by_code, { not_in_list: 6_000, invalid_number: 6_000 });
  assertEquals([check.job.result?.rows, check.job.result?.invalid], [6_000, 6_000]);
  const [kept] = await it.admin`
    select count(*)::integer as count, min(row)::integer as first, max(row)::integer as last
    from jobs.import_problems where job_id = ${check.job.id}`;
  assertEquals({ ...kept }, { count: 10_000, first: 2, last: 5_001 });
  const { data }: { data: string[][] } = Papa.parse((await it.problemsFile(check)).trim());
  assertEquals(data.length, 6_001);
  assertEquals(data.at(-1)?.slice(0, 6), [
    "T-5999",
    "nothing",
    "D-1",
    "many",
    "6001",
    "invalid_number not_in_list",
  ]);
});

Deno.test("import hands the rows with problems back as they were, and takes them corrected", async () => {
  await using it = await importer(stack);
  const head = "Phone;Name;Remarks;Age;Born;Active;Score\r\n";
  const file = head +
    ' +44 1632 ;Ada ;"says ""hi""; twice";x;31.12.2025;yes;1.234,50\r\n' +
    "012345;Bea;fine;7;01.02.2025;no;0,5\r\n" +
    "012345;Cleo;=1+1;many;1.1.99;J;1\r\n" +
    "012345;Dora;too;1;1.1.99;no;1;wide;\r\n" +
    "012345;Eve;narrow\r\n" +
    '012345;Fay;"two\nlines";7.5;;;\r\n';
  const check = await it.check(file, { dataset: "lab.people" });
  assertEquals([check.job.result?.valid, check.job.result?.invalid], [1, 5]);
  const text = await it.problemsFile(check);
  assertEquals(
    text.startsWith(
      "\ufeffPhone,Name,Remarks,Age,Born,Active,Score,,,problem_row,problem_codes,problem_messages\n",
    ),
    true,
  );
  const { data }: { data: string[][] } = Papa.parse(text.slice(1).trimEnd());
  assertEquals(data.slice(1).map((row) => row.slice(0, 11)), [
    [
      " +44 1632 ",
      "Ada ",
      'says "hi"; twice',
      "x",
      "31.12.2025",
      "yes",
      "1.234,50",
      "",
      "",
      "2",
      "invalid_number",
    ],
    ["012345", "Cleo", "=1+1", "many", "1.1.99", "J", "1", "", "", "4", "invalid_number invalid_type"],
    ["012345", "Dora", "too", "1", "1.1.99", "no", "1", "wide", "", "5", "malformed_row"],
    ["012345", "Eve", "narrow", "", "", "", "", "", "", "6", "malformed_row"],
    ["012345", "Fay", "two\nlines", "7.5", "", "", "", "", "", "7", "invalid_number"],
  ]);
  assertEquals(
    data[2]?.[11],
    'Age "many" is no number: expected digits such as 12.5; Active "J" is neither yes nor no: expected true or false',
  );

  // Corrected by hand, with the three columns as they came.
  const corrections: Record<string, string> = { x: "70", many: "7", "7.5": "7", J: "no", wide: "" };
  const corrected = data.map((row) => row.map((cell) => corrections[cell] ?? cell));
  const half = await it.check(Papa.unparse([...corrected.slice(0, 2), ...data.slice(2, 3)]), {
    dataset: "lab.people",
  });
  assertEquals(half.job.result?.invalid, 1);
  const { data: rest }: { data: string[][] } = Papa.parse((await it.problemsFile(half)).slice(1).trimEnd());
  // The old columns are not handed back beside the new ones.
  assertEquals(rest[0]?.filter((heading) => heading.startsWith("problem_")), [
    "problem_row",
    "problem_codes",
    "problem_messages",
  ]);
  assertEquals([rest[1]?.[1], rest[1]?.at(-3), rest.length], ["Cleo", "3", 2]);
  const again = await it.check(Papa.unparse(corrected), { dataset: "lab.people" });
  assertEquals(codes(again), []);
  assertEquals(again.job.result?.columns, {
    mapped: { Phone: "phone", Name: "name", Age: "age", Born: "born", Active: "active", Score: "score" },
    ignored: ["Remarks"],
    missing: ["seen_at", "code", "mood", "friend"],
  });
  const commit = await it.commit(again);
  assertEquals(commit.job.result?.inserted, 5);
  const table = await it.admin`
    select name, phone, age, born::text, score::text from lab.people where project_id = ${it.projectId} order by name`;
  assertEquals(table.map((row) => Object.values(row)), [
    ["Ada", "+44 1632", 70, "2025-12-31", "1234.50"],
    ["Cleo", "012345", 7, "1999-01-01", "1.00"],
    ["Dora", "012345", 1, "1999-01-01", "1.00"],
    ["Eve", "012345", null, null, null],
    ["Fay", "012345", 7, null, null],
  ]);
});

Deno.test("import hands the rows of a workbook back with its dates and numbers", async () => {
  await using it = await importer(stack);
  const rows: Cell[][] = [
    ["People of 2025"],
    ["Name", "Age", "Born", "Seen at", "Active", "Score", "Note"],
    ["Ada", "x", new DateCell("2025-12-31"), new DateCell("2025-12-31T08:00:00"), true, 0.1, "why"],
    ["Bea", 70, new DateCell("2025-12-31"), null, null, 1234.5, null],
  ];
  const bytes = new Uint8Array(await new Response(writeXlsx(rows, { sheet: "People" })).arrayBuffer());
  const check = await it.check(bytes, { name: "people.xlsx", dataset: "lab.people" });
  assertEquals(check.problems.map(({ row, sheet, cell, line }: Problem) => [row, sheet, cell, line]), [[
    3,
    "People",
    "B3",
    null,
  ]]);
  const { data }: { data: string[][] } = Papa.parse((await it.problemsFile(check)).trim());
  assertEquals(data[1]?.slice(0, 9), [
    "Ada",
    "x",
    "2025-12-31",
    "2025-12-31T08:00:00",
    "true",
    "0.1",
    "why",
    "3",
    "invalid_number",
  ]);
});

Deno.test("problems and problems.csv are for those who may read the job", async () => {
  await using it = await importer(stack);
  await using stranger = await importer(stack);
  const check = await it.check(`${HEAD}A,nothing,D-1,1\n`);
  const { bucket, path } = check.job.result?.problems_file as { bucket: string; path: string };
  for (const client of [stranger.person.client, anonymous(stack)]) {
    const { data } = await client.schema("jobs").from("import_problems").select().eq("job_id", check.job.id);
    assertEquals(data ?? [], []);
    assertEquals((await client.storage.from(bucket).download(path)).data, null);
  }
});
