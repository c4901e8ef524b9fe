/** What `import` and `import-commit` answer to requests, before any row is looked at. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { read, utils, write } from "xlsx";
import { type Importer, importer, post } from "../helpers/imports.ts";
import { anonymous, service, signUp } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";

const stack = await testStack();

const CSV = "Tag,Type,Drawing\nA,spool,D-1\n";
const NO_SUCH_ID = "00000000-0000-4000-8000-000000000000";

async function get(it: Importer, query = ""): Promise<Response> {
  return await fetch(`${stack.url}/functions/v1/import${query}`, {
    headers: { apikey: stack.publishableKey, authorization: `Bearer ${it.person.accessToken}` },
  });
}

Deno.test("GET import describes every dataset", async () => {
  await using it = await importer(stack);
  const { data, error } = await it.person.client.functions.invoke("import", { method: "GET" });
  assertEquals(error, null);
  const names = data.datasets.map(({ name }: { name: string }) => name);
  assertEquals(names.filter((name: string) => name.startsWith("pipetrak.")).slice(0, 2), [
    "pipetrak.components",
    "pipetrak.drawings",
  ]);
  const [components] = data.datasets;
  assertEquals([components.title, components.key, components.modes], ["Components", ["tag"], [
    "insert",
    "upsert",
    "update",
  ]]);
  const columns = Object.fromEntries(
    components.columns.map((column: { name: string }) => [column.name, column]),
  );
  assertEquals(Object.keys(columns), [
    "tag",
    "description",
    "type",
    "drawing",
    "area",
    "system",
    "test_package",
    "spec",
    "size",
    "quantity",
    "weight_kg",
  ]);
  assertEquals(
    components.columns.filter((column: { required: boolean }) => column.required).map((
      { name }: { name: string },
    ) => name),
    ["tag", "type", "drawing"],
  );
  assertEquals(columns.quantity.type, "number");
  assert(columns.type.values.includes("spool"));
  assert(columns.tag.headings.includes("Tag"));
  assertEquals(typeof columns.tag.example, "string");

  const one = await (await get(it, "?dataset=pipetrak.drawings")).json();
  assertEquals(one.datasets.map(({ name }: { name: string }) => name), ["pipetrak.drawings"]);
});

Deno.test("GET import lists what the caller may import somewhere, and describes the rest by name", async () => {
  await using it = await importer(stack);
  const member = await signUp(stack);
  await it.person.client.rpc("add_member", { p_org_id: it.orgId, p_email: member.email, p_role: "member" })
    .throwOnError();
  const namesFor = async (asker: Importer, query = ""): Promise<string[]> =>
    (await (await get(asker, query)).json()).datasets.map(({ name }: { name: string }) => name);
  assertEquals(await namesFor(it), ["pipetrak.components", "pipetrak.drawings"]);
  assertEquals(await namesFor(it.as(member)), []);
  assertEquals(await namesFor(it.as(member), "?dataset=pipetrak.drawings"), ["pipetrak.drawings"]);
  await it.person.client.schema("pipetrak").from("project_members")
    .insert({ project_id: it.projectId, user_id: member.userId, role: "engineer" }).throwOnError();
  assertEquals(await namesFor(it.as(member)), ["pipetrak.components", "pipetrak.drawings"]);
});

Deno.test("GET import lists the types of components that the database knows", async () => {
  await using it = await importer(stack);
  const { datasets: [components] } = await (await get(it, "?dataset=pipetrak.components")).json();
  const types = await it.admin`select name from pipetrak.component_types order by name`;
  const column = components.columns.find(({ name }: { name: string }) => name === "type");
  assertEquals(column.values.toSorted(), types.map(({ name }) => name));
});

Deno.test("GET import makes a CSV template that imports when it is filled in", async () => {
  await using it = await importer(stack);
  const response = await get(it, "?dataset=pipetrak.components&template=csv");
  assertEquals(response.headers.get("content-type"), "text/csv; charset=utf-8");
  assertStringIncludes(
    response.headers.get("content-disposition") ?? "",
    'filename="pipetrak.components.csv"',
  );
  const template = await response.text();
  const filled = template + 'T-1,"4"" spool",spool,D-1,,,,,,2,1.5\r\n';
  const { job } = await it.check(filled);
  assertEquals([job.result?.valid, job.result?.invalid], [1, 0]);
  assertEquals(job.result?.columns, {
    mapped: {
      Tag: "tag",
      Description: "description",
      Type: "type",
      Drawing: "drawing",
      Area: "area",
      System: "system",
      "Test package": "test_package",
      Spec: "spec",
      Size: "size",
      Quantity: "quantity",
      "Weight (kg)": "weight_kg",
    },
    ignored: [],
    missing: [],
  });
});

Deno.test("GET import makes a workbook template that imports when it is filled in", async () => {
  await using it = await importer(stack);
  const response = await get(it, "?dataset=pipetrak.drawings&template=xlsx");
  assertStringIncludes(response.headers.get("content-type") ?? "", "spreadsheetml");
  const book = read(new Uint8Array(await response.arrayBuffer()), { type: "array" });
  const sheet = book.Sheets[book.SheetNames[0]!]!;
  assertEquals(utils.sheet_to_json(sheet, { header: 1 }), [["Number", "Revision", "Title"]]);
  utils.sheet_add_aoa(sheet, [["D-7", "B", "Pump house"]], { origin: -1 });
  const bytes = new Uint8Array(write(book, { type: "array", bookType: "xlsx" }));
  const { job } = await it.check(bytes, { name: "filled.xlsx", dataset: "pipetrak.drawings" });
  assertEquals([job.result?.valid, job.result?.invalid, job.result?.sheet], [1, 0, "Drawings"]);
});

Deno.test("GET import refuses what it cannot answer", async () => {
  await using it = await importer(stack);
  const cases: [query: string, status: number, code: string, message: string][] = [
    [
      "?dataset=pipetrak.component",
      404,
      "unknown_dataset",
      'Cannot find the dataset "pipetrak.component": the nearest is "pipetrak.components"',
    ],
    [
      "?dataset=pipetrak.components&template=pdf",
      400,
      "invalid_request",
      'Cannot make a template "pdf": expected csv or xlsx',
    ],
  ];
  for (const [query, status, code, message] of cases) {
    const response = await get(it, query);
    const body = await response.json();
    assertEquals([response.status, body.code, body.message], [status, code, message]);
  }
});

Deno.test("POST import answers with the job that it starts", async () => {
  await using it = await importer(stack);
  const request = await it.request(CSV);
  const { data, error } = await it.person.client.functions.invoke("import", { body: request });
  assertEquals(error, null);
  assertEquals([data.job.kind, data.job.org_id, data.job.owner_id, data.job.parent_id], [
    "import_check",
    it.orgId,
    it.person.userId,
    null,
  ]);
  assertEquals(data.job.params, request);
  const { job } = await it.follow(data.job.id);
  assertEquals([job.state, job.result?.valid], ["succeeded", 1]);
});

function form(file: Blob | string | null, request: unknown, name = "rows.csv"): FormData {
  const form = new FormData();
  if (typeof file === "string") form.set("file", file);
  else if (file) form.set("file", file, name);
  if (request !== undefined) {
    form.set("request", typeof request === "string" ? request : JSON.stringify(request));
  }
  return form;
}

Deno.test("POST import takes the file with the request", async () => {
  await using it = await importer(stack);
  const request = { dataset: "pipetrak.components", scope: { project_id: it.projectId } };
  const body = form(new Blob([CSV], { type: "text/csv" }), request, "Größe & Maß (1).csv");
  const { data, error } = await it.person.client.functions.invoke("import", { body });
  assertEquals(error, null);
  assertMatch(
    data.job.params.file.path,
    new RegExp(`^${it.orgId}/${it.person.userId}/[0-9a-f]{32}/[\\w.-]+\\.csv$`),
  );
  const { job } = await it.follow(data.job.id);
  assertEquals([job.state, job.result?.valid], ["succeeded", 1]);

  // The same file once more lies at the same place; with the same key it is the same request.
  const again = () =>
    post(it, "import", { body: form(new Blob([CSV]), request), headers: { "idempotency-key": "form" } });
  const [first, second] = [await again(), await again()];
  assertEquals([first.status, second.status, second.body.job.id], [202, 202, first.body.job.id]);
  await it.follow(first.body.job.id);
});

Deno.test("POST import takes files of up to 6 MB with the request", async () => {
  await using it = await importer(stack);
  const request = { dataset: "pipetrak.components", scope: { project_id: it.projectId } };
  const line = `X-${"x".repeat(97)}\n`;
  const fits = new Blob(["Tag,Type,Drawing\n", line.repeat(Math.floor(5_990_000 / line.length))]);
  const answer = await post(it, "import", { body: form(fits, request) });
  assertEquals(answer.status, 202);
  await it.person.client.schema("jobs").rpc("cancel_job", { job_id: answer.body.job.id }).throwOnError();

  const refused = await post(it, "import", { body: form(new Blob([new Uint8Array(6_400_000)]), request) });
  assertEquals([refused.status, refused.body.code], [413, "file_too_large"]);
  assertStringIncludes(refused.body.message, "more than 6 MB");
});

Deno.test("POST import refuses a body that is too long and does not say so", async () => {
  await using it = await importer(stack);
  const good = JSON.stringify(await it.request(CSV));
  const headOfForm = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n';
  const cases = [
    { type: "application/json", head: good, bytes: 2e6, answer: [400, "invalid_request"] },
    {
      type: "multipart/form-data; boundary=b",
      head: headOfForm,
      bytes: 20e6,
      answer: [413, "file_too_large"],
    },
  ];
  for (const { type, head, bytes, answer } of cases) {
    const pieces = [head, ...Array.from({ length: Math.ceil(bytes / 65536) }, () => " ".repeat(65536))];
    const response = await fetch(`${stack.url}/functions/v1/import`, {
      method: "POST",
      headers: { authorization: `Bearer ${it.person.accessToken}`, "content-type": type },
      body: ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()),
    });
    assertEquals([response.status, (await response.json()).code], answer);
  }
});

Deno.test("POST import refuses forms that are none", async () => {
  await using it = await importer(stack);
  const request = { dataset: "pipetrak.components", scope: { project_id: it.projectId } };
  const file = new Blob([CSV]);
  const cases: [body: FormData, path: string][] = [
    [form(null, request), "file"],
    [form("a text instead", request), "file"],
    [form(file, undefined), "request"],
    [form(file, "{"), ""],
    [form(file, { ...request, file: { bucket: "imports", path: "x" } }), ""],
    [form(file, { scope: {} }), "dataset"],
  ];
  for (const [body, path] of cases) {
    const answer = await post(it, "import", { body });
    assertEquals([answer.status, answer.body.code, answer.body.details.issues[0].path], [
      400,
      "invalid_request",
      path,
    ]);
  }
});

Deno.test("POST import gives the same job for the same Idempotency-Key and body", async () => {
  await using it = await importer(stack);
  const { dataset, scope, file } = await it.request(CSV);
  const headers = { "idempotency-key": crypto.randomUUID() };
  const options = { mode: "insert", decimal: "," };
  const first = await post(it, "import", { body: { dataset, scope, file, options }, headers });
  const swapped = { options: { decimal: ",", mode: "insert" }, file, scope, dataset };
  const second = await post(it, "import", { body: swapped, headers });
  assertEquals([first.status, second.status, second.body.job.id], [202, 202, first.body.job.id]);

  const other = await post(it, "import", { body: { dataset, scope, file }, headers });
  assertEquals([other.status, other.body.code, other.body.details.job_id], [
    409,
    "idempotency_conflict",
    first.body.job.id,
  ]);
  // Another person's key is another key, and another function's too.
  await using others = await importer(stack);
  assertEquals((await post(others, "import", { body: await others.request(CSV), headers })).status, 202);
  const check = await it.follow(first.body.job.id);
  const commit = await post(it, "import-commit", { body: { import_id: check.job.id }, headers });
  assertEquals(commit.status, 202);
  assertEquals((await it.follow(commit.body.job.id)).job.state, "succeeded");
  const long = await post(it, "import", { body: {}, headers: { "idempotency-key": "k".repeat(256) } });
  assertEquals([long.status, long.body.code], [400, "invalid_request"]);
});

Deno.test("POST import refuses requests that say nothing that it knows", async () => {
  await using it = await importer(stack);
  const good = await it.request(CSV);
  const cases: [body: unknown, status: number, code: string, path: string | null, message?: string][] = [
    ["", 400, "invalid_request", "dataset"],
    ["{", 400, "invalid_request", ""],
    [[], 400, "invalid_request", ""],
    [{ ...good, dataset: undefined }, 400, "invalid_request", "dataset"],
    [{ ...good, dataset: 7 }, 400, "invalid_request", "dataset"],
    [{ ...good, file: undefined }, 400, "invalid_request", "file"],
    [{ ...good, file: { bucket: "exports", path: "x" } }, 400, "invalid_request", "file.bucket"],
    [{ ...good, file: { bucket: "imports" } }, 400, "invalid_request", "file.path"],
    [{ ...good, extra: 1 }, 400, "invalid_request", ""],
    [{ ...good, scope: undefined }, 400, "invalid_request", "scope.project_id"],
    [{ ...good, scope: { project_id: "7" } }, 400, "invalid_request", "scope.project_id"],
    [{ ...good, scope: { project_id: it.projectId, more: 1 } }, 400, "invalid_request", "scope"],
    [{ ...good, options: { header_row: 0 } }, 400, "invalid_request", "options.header_row"],
    [{ ...good, options: { delimiter: "::" } }, 400, "invalid_request", "options.delimiter"],
    [{ ...good, options: { date_order: "ydm" } }, 400, "invalid_request", "options.date_order"],
    [{ ...good, options: { decimal: ";" } }, 400, "invalid_request", "options.decimal"],
    [{ ...good, options: { columns: { Tag: 1 } } }, 400, "invalid_request", "options.columns.Tag"],
    [{ ...good, options: { stop_after_problems: 0 } }, 400, "invalid_request", "options.stop_after_problems"],
    [{ ...good, options: { create_drawings: "yes" } }, 400, "invalid_request", "options.create_drawings"],
    [{ ...good, options: { mode: "replace" } }, 400, "invalid_request", "options.mode"],
    [
      { ...good, options: { create_drawing: true } },
      400,
      "invalid_request",
      "options.create_drawing",
      'Cannot use the option "create_drawing": the nearest is "create_drawings"',
    ],
    [
      { ...good, dataset: "pipetrak.componets" },
      404,
      "unknown_dataset",
      null,
      'Cannot find the dataset "pipetrak.componets": the nearest is "pipetrak.components"',
    ],
    [{ ...good, scope: { project_id: NO_SUCH_ID } }, 403, "not_allowed", null],
    [{ ...good, file: { bucket: "imports", path: `${it.orgId}/nothing.csv` } }, 404, "file_not_found", null],
  ];
  for (const [body, status, code, path, message] of cases) {
    const answer = await post(it, "import", { body });
    const told = JSON.stringify(body);
    assertEquals([told, answer.status, answer.body.code], [told, status, code]);
    if (path !== null) assertEquals([told, answer.body.details.issues[0].path], [told, path]);
    if (message) assertEquals(answer.body.message, message);
    assertEquals(answer.headers.get("x-request-id"), answer.body.details.request_id);
  }
});

Deno.test("POST import-commit refuses what cannot be committed", async () => {
  await using it = await importer(stack);
  const check = await it.check(CSV);
  const import_id = check.job.id;
  const cases: [body: unknown, status: number, code: string, path: string | null][] = [
    [{}, 400, "invalid_request", "import_id"],
    [{ import_id: "7" }, 400, "invalid_request", "import_id"],
    [{ import_id, policy: "some" }, 400, "invalid_request", "policy"],
    [{ import_id, policy: "stop_after" }, 400, "invalid_request", "stop_after"],
    [{ import_id, policy: "stop_after", stop_after: 0 }, 400, "invalid_request", "stop_after"],
    [{ import_id, policy: "valid_rows", stop_after: 3 }, 400, "invalid_request", "stop_after"],
    [{ import_id: NO_SUCH_ID }, 404, "job_not_found", null],
  ];
  for (const [body, status, code, path] of cases) {
    const answer = await post(it, "import-commit", { body });
    assertEquals([JSON.stringify(body), answer.status, answer.body.code], [
      JSON.stringify(body),
      status,
      code,
    ]);
    if (path !== null) assertEquals(answer.body.details.issues[0].path, path);
  }
  const commit = await it.commit(check);
  const answer = await post(it, "import-commit", { body: { import_id: commit.job.id } });
  assertEquals([answer.status, answer.body.code], [404, "job_not_found"]);
});

Deno.test("import and import-commit refuse callers that are nobody, and the service", async () => {
  await using it = await importer(stack);
  const check = await it.check(CSV);
  const bodies = { import: await it.request(CSV), "import-commit": { import_id: check.job.id } };
  for (const [name, body] of Object.entries(bodies)) {
    const nobody = await anonymous(stack).functions.invoke(name, { body });
    assertEquals([nobody.response?.status, (await nobody.response?.json()).code], [401, "not_authenticated"]);
    const forged = await post({ stack, person: { ...it.person, accessToken: "a.b.c" } }, name, { body });
    assertEquals([forged.status, forged.body.code], [401, "not_authenticated"]);
    // The service goes on with slices only: it has no person in whose name to start.
    const served = await service(stack).functions.invoke(name, { body });
    assertEquals([served.response?.status, (await served.response?.json()).code], [400, "invalid_request"]);
  }
  const listed = await anonymous(stack).functions.invoke("import", { method: "GET" });
  assertEquals(listed.response?.status, 401);
  await listed.response?.body?.cancel();
});

Deno.test("import and import-commit answer browsers on any origin", async () => {
  for (const name of ["import", "import-commit"]) {
    const response = await fetch(`${stack.url}/functions/v1/${name}`, {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, idempotency-key",
      },
    });
    await response.body?.cancel();
    assertEquals([response.ok, response.headers.get("access-control-allow-origin")], [true, "*"]);
    assertMatch(response.headers.get("access-control-allow-headers") ?? "", /idempotency-key/);
    const refused = await post({ stack, person: await signUp(stack) }, name, {
      body: {},
      headers: { "x-request-id": "given-by-the-caller" },
    });
    assertEquals(refused.headers.get("access-control-allow-origin"), "*");
    assertEquals(refused.headers.get("x-request-id"), "given-by-the-caller");
    assertEquals(refused.body.details.request_id, "given-by-the-caller");
  }
});
