/** The demo as a newcomer runs it, and the parts that make its data. */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { openLocalSession } from "../../../local/cli/open_local_session.ts";
import { breakRows, cellsOf } from "../../../local/demo/break_rows.ts";
import { COMPONENT_COLUMNS } from "../../../local/demo/component_columns.ts";
import { correctProblems } from "../../../local/demo/correct_problems.ts";
import { makeCsv } from "../../../local/demo/make_csv.ts";
import { makeProject } from "../../../local/demo/make_project.ts";
import { testStack } from "../../helpers/stack.ts";
import { makeDataDir } from "../cli/_run_import.ts";

const PROJECT_DIR = fromFileUrl(new URL("../../..", import.meta.url));

Deno.test("demo --exit leaves 20,000 components, a month of calls, a session and files to look at", async () => {
  const stack = await testStack();
  const dataDir = await makeDataDir(stack);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "local/demo/demo.ts", "--exit", "--data", dataDir],
    cwd: PROJECT_DIR,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const out = new TextDecoder().decode(stdout);
  assertEquals(code, 0, out + new TextDecoder().decode(stderr));
  for (const problem of ["required", "not_in_list", "formula_error", "invalid_number", "unknown_reference"]) {
    assertMatch(out, new RegExp(`^ +${problem} +\\d+ +[A-Z]\\d+ `, "m"));
  }
  assertMatch(out, /duplicate_in_file +\d+/);
  assertStringIncludes(out, "20,000 unchanged, 0 to update, 0 to insert, 0 with problems");
  assertMatch(out, /^ +Calls +7,\d{3} /m);
  for (const format of ["csv", "xlsx"]) {
    const { size } = await Deno.stat(join(dataDir, "demo", `metrics.${format}`));
    assert(size > 5_000, `${size}`);
  }
  assertStringIncludes(out, `deno task import ${join(dataDir, "demo", "my.csv")}`);

  const { supabase, person } = await openLocalSession({ ...stack, dataDir });
  const { count } = await supabase.schema("pipetrak").from("components")
    .select("*", { count: "exact", head: true }).eq("project_id", person.project_id);
  assertEquals(count, 20_000);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("makeProject() makes the same for the same seed, each tag once", () => {
  const options = { drawings: 40, components: 1_001 };
  const project = makeProject(options);
  assertEquals(makeProject(options), project);
  assertNotEquals(makeProject({ ...options, seed: 8 }), project);
  assertEquals(project.components.length, 1_001);
  assertEquals(new Set(project.components.map((component) => component.tag)).size, 1_001);
  const numbers = new Set(project.drawings.map((drawing) => drawing.number));
  assertEquals(numbers.size, 40);
  assert(project.components.every((component) => numbers.has(component.drawing)));
});

Deno.test("breakRows() breaks about one row in a hundred, and knows what was right", () => {
  const { components } = makeProject();
  const { rows, mistakes } = breakRows(components);
  assert(mistakes.size > 150 && mistakes.size < 260, `${mistakes.size}`);
  rows.forEach((cells, place) => {
    const mistake = mistakes.get(place + 2);
    const right = cellsOf(components[place]!);
    const broken = COMPONENT_COLUMNS.filter((_, column) => String(cells[column]) !== String(right[column]));
    assertEquals(broken.map(({ heading }) => heading), mistake ? [mistake.heading] : []);
  });
});

Deno.test("correctProblems() puts right what it knows and leaves the rest", () => {
  const text = '\ufeffTag No,Qty,problem_row,problem_codes,problem_messages\nA,one,2,x,"a, b"\nB,two,9,x,y\n';
  const mistakes = new Map([[2, { heading: "Qty", right: "1" }]]);
  assertEquals(correctProblems(text, mistakes), {
    text: 'Tag No,Qty,problem_row,problem_codes,problem_messages\r\nA,1,2,x,"a, b"\r\nB,two,9,x,y\r\n',
    corrected: 1,
  });
});

Deno.test("makeCsv() writes semicolons, decimal commas and bare inches after a byte order mark", () => {
  assertEquals(
    makeCsv([["A", '4"', 1.5, null, "x;y"]]).split("\r\n"),
    ["\ufeff" + COMPONENT_COLUMNS.map(({ heading }) => heading).join(";"), 'A;4";1,5;;"x;y"', ""],
  );
});
