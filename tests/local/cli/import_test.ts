/** The command for imports, run as a process on the real stack. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { openLocalSession } from "../../../local/cli/open_local_session.ts";
import { type TestStack, testStack } from "../../helpers/stack.ts";
import { makeDataDir, runImport, startImport } from "./_run_import.ts";

const DRAWINGS = "number,title\nISO-1,Header\nISO-2,Return\n";
const COMPONENTS = "Tag No,Type,Drawing No,Qty,Remark\n";

interface Scene {
  stack: TestStack;
  dir: string;
  /** Writes a file into the folder and gives its path. */
  save(name: string, text: string): Promise<string>;
}

function scene(name: string, run: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    const stack = await testStack();
    const dir = await makeDataDir(stack);
    const save = async (file: string, text: string) => {
      await Deno.writeTextFile(join(dir, file), text);
      return join(dir, file);
    };
    try {
      await run({ stack, dir, save });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

scene(
  "import makes a person and a project at its first use, and uses them again",
  async ({ dir, save, stack }) => {
    const drawings = await save("drawings.csv", DRAWINGS);
    const first = await runImport([drawings, "--dataset", "pipetrak.drawings", "--commit", "--data", dir]);
    assertEquals(first.code, 0, first.err);
    assertMatch(first.out, /Inserted +2\n/);

    const good = await save("my.csv", `${COMPONENTS}A-1,valve,ISO-1,1,x\n`);
    const second = await runImport([good, "--commit", "--data", dir]);
    assertEquals(second.code, 0, second.err);
    assertMatch(second.out, /Inserted +1\n/);
    assertMatch(second.err, /Checking: .*\n/, "progress goes to standard error");

    const { supabase, person } = await openLocalSession({ ...stack, dataDir: dir });
    const { data } = await supabase.schema("pipetrak").from("components").select("tag")
      .eq("project_id", person.project_id);
    assertEquals(data, [{ tag: "A-1" }]);
  },
);

scene("import shows what is wrong, saves problems.csv and says how to go on", async ({ dir, save }) => {
  await runImport([
    await save("d.csv", DRAWINGS),
    "--dataset",
    "pipetrak.drawings",
    "--commit",
    "--data",
    dir,
  ]);
  const file = await save(
    "my.csv",
    `${COMPONENTS}A-1,valve,ISO-1,1,x\nA-2,vavle,ISO-1,two,y\nA-3,valve,ISO-9,1,\n`,
  );
  const { code, out } = await runImport([file, "--data", dir]);
  assertEquals(code, 1);
  assertMatch(out, /Rows +3\n +Valid +1\n +With problems +2\n/);
  assertMatch(out, /not_in_list +1 +line 3 +Type +vavle +Type "vavle" is not in the list/);
  assertMatch(out, /unknown_reference +1 +line 4 +Drawing No/);
  assertMatch(out, /Ignored +"Remark"/);
  assertStringIncludes(out, "--option create_drawings=true");
  assertStringIncludes(out, "--commit --policy valid_rows");

  const saved = join(dir, "my.problems.csv");
  const text = await Deno.readTextFile(saved);
  assertStringIncludes(text, "A-2,vavle,ISO-1,two,y,3,");
  await Deno.writeTextFile(
    saved,
    text.replace("vavle", "valve").replace("two", "2").replace("ISO-9", "ISO-2"),
  );
  const corrected = await runImport([saved, "--commit", "--data", dir]);
  assertEquals(corrected.code, 0, corrected.out + corrected.err);
  assertMatch(corrected.out, /Inserted +2\n/);
});

scene("import never writes over a file that somebody may be correcting", async ({ dir, save }) => {
  const file = await save("my.csv", `${COMPONENTS}A-1,vavle,ISO-1,1,x\n`);
  await runImport([file, "--data", dir]);
  const first = join(dir, "my.problems.csv");
  await Deno.writeTextFile(first, "half corrected");
  const { out } = await runImport([file, "--data", dir]);
  assertEquals(await Deno.readTextFile(first), "half corrected");
  assertStringIncludes(out, join(dir, "my.problems-2.csv"));
});

scene("import --json prints the final job and nothing else", async ({ dir, save }) => {
  const file = await save("my.csv", `${COMPONENTS}A-1,valve,ISO-7,1,x\n`);
  const { code, out } = await runImport([file, "--json", "--option", "create_drawings=true", "--data", dir]);
  const job = JSON.parse(out);
  assertEquals([code, job.kind, job.state, job.result.would.insert], [0, "import_check", "succeeded", 1]);
});

scene("import takes a mapping, and another stack's address with a login", async ({ stack, dir, save }) => {
  const { person } = await openLocalSession({ ...stack, dataDir: dir });
  const file = await save("my.csv", "Name;Kind;Plan;Area\nA-1;valve;ISO-7;north\n");
  const { code, out, err } = await runImport([
    ...[file, "--url", stack.url, "--key", stack.publishableKey, "--email", person.email],
    ...["--scope", `project_id=${person.project_id}`, "--option", "create_drawings=true", "--json"],
    ...["--map", "Name=tag", "--map", "Kind=type", "--map", "Plan=drawing", "--map", "Area="],
  ], { LONGSHORE_PASSWORD: person.password });
  assertEquals(code, 0, err);
  assertEquals(JSON.parse(out).result.columns.mapped, { Name: "tag", Kind: "type", Plan: "drawing" });
});

scene("import says what failed in one line, by code", async ({ stack, dir, save }) => {
  const file = await save("my.csv", "nonsense\n1\n");
  const missing = await runImport([file, "--data", dir]);
  assertEquals(missing.code, 1);
  assertMatch(missing.err, /^missing_columns: /m);
  assert(!/^ +at /m.test(missing.err), "a stack trace is for nobody");

  const refused = await runImport([
    ...[file, "--url", stack.url, "--key", stack.publishableKey],
    ...["--email", "nobody@example.test", "--password", "wrong"],
  ]);
  assertEquals(refused.code, 1);
  assertMatch(refused.err, /^not_authenticated: Cannot sign in/m);
});

scene("import cancels its job on SIGINT", async ({ stack, dir, save }) => {
  const rows = Array.from({ length: 60_000 }, (_, place) => `T-${place},valve,ISO-1,1,`).join("\n");
  const running = startImport([await save("my.csv", COMPONENTS + rows), "--data", dir]);
  await running.said("Checking: ");
  running.kill("SIGINT");
  const { code, err } = await running.finished;
  assertEquals(code, 1);
  assertMatch(err, /^Checking: cancelled$/m);
  const { supabase } = await openLocalSession({ ...stack, dataDir: dir });
  const { data } = await supabase.schema("jobs").from("jobs").select("state");
  assertEquals(data, [{ state: "cancelled" }]);
});

scene("import says after a commit that was cut off how to go on without doubles", async ({ dir, save }) => {
  const rows = Array.from({ length: 60_000 }, (_, place) => `T-${place},valve,ISO-1,1,`).join("\n");
  const file = await save("my.csv", COMPONENTS + rows);
  const how = ["--commit", "--policy", "valid_rows", "--data", dir, "--option", "create_drawings=true"];
  const running = startImport([file, ...how]);
  await running.said("Committing: ");
  running.kill("SIGINT");
  const { out, err } = await running.finished;
  assertMatch(err, /^Committing: cancelled$/m);
  assertStringIncludes(out, "Go on; rows that were written before it ended stay");
  assertStringIncludes(out, `deno task import ${[file, ...how].join(" ")} --mode upsert`);
  assert(!out.includes("Write 60,000 rows"), out);
});

scene("import says what to do about headings it does not know, and about no rows", async ({ dir, save }) => {
  const foreign = await runImport([await save("my.csv", "Tag;Typ;Plan\nA-1;valve;ISO-1\n"), "--data", dir]);
  assertEquals(foreign.code, 1);
  assertStringIncludes(foreign.out, "--map HEADING=type --map HEADING=drawing");
  const bare = await runImport([await save("bare.csv", COMPONENTS), "--data", dir]);
  assertStringIncludes(bare.out, "Nothing to write: the file has headings and no rows.");
});

scene("import starts a stack where none is running, and stops it", async ({ dir, save }) => {
  await Deno.remove(join(dir, "stack.json"));
  await Deno.chmod(dir, 0o755);
  const file = await save("drawings.csv", DRAWINGS);
  const { code, err } = await runImport([
    file,
    "--dataset",
    "pipetrak.drawings",
    "--commit",
    "--json",
    "--data",
    dir,
  ]);
  assertEquals(code, 0, err);
  assertStringIncludes(err, "No stack is running");
  const running = await Deno.stat(join(dir, "stack.json")).then(() => true, () => false);
  assertEquals(running, false);
});

Deno.test("import ends with 2 for what it cannot follow", async () => {
  for (const args of [[], ["no/such.csv"], ["a.csv", "--datset", "x"]]) {
    const { code, err } = await runImport(args);
    assertEquals(code, 2, err);
    assertStringIncludes(err, "--help");
  }
  const help = await runImport(["--help"]);
  assertEquals(help.code, 0);
  assertStringIncludes(help.out, "--dataset");
});
