/** A document's steps, followed word by word in a copy of the project: its files written, its test run. */
import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { PROJECT_DIR, read } from "./_project_files.ts";

/** What the steps change or need. */
const COPIED = ["deno.json", "import_map.json", "functions", "local", "shared", "supabase", "tests/helpers"];

export interface FollowOptions {
  /** The languages of the blocks, in their order. */
  languages: string[];
  /** A module whose types have to hold afterwards. */
  check: string;
}

export async function followSteps(document: string, { languages, check }: FollowOptions): Promise<void> {
  const project = await Deno.makeTempDir({ prefix: "longshore_docs_" });
  try {
    // Postgres runs as another user when the tests run as root.
    await Deno.chmod(project, 0o755);
    for (const path of COPIED) await copy(join(PROJECT_DIR, path), join(project, path));
    const steps = await readSteps(document);
    assertEquals(steps.map(({ language }) => language), languages);
    for (const { path, language, text } of steps) {
      const file = join(project, path);
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeTextFile(
        file,
        language === "diff" ? changed(await Deno.readTextFile(file), text) : text,
      );
    }

    await run(project, ["check", check]);
    // The types of the local stack are not what is tried here.
    const output = await run(project, ["test", "-A", "--no-check", steps.at(-1)!.path]);
    assert(/^ok \| 1 passed/m.test(output), output);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

interface Step {
  path: string;
  language: string;
  text: string;
}

/** The blocks of code that stand below the path of a file. */
async function readSteps(path: string): Promise<Step[]> {
  const document = await read(path);
  return [...document.matchAll(/^`([\w./-]+)`:\n\n```(\w+)\n(.*?)^```$/gms)].map((
    [, path, language, text],
  ) => ({
    path: path!,
    language: language!,
    text: text!,
  }));
}

/** A file after a change that is written as a diff without places. */
function changed(file: string, diff: string): string {
  const side = (left: string) =>
    diff.split("\n").filter((line) => !line.startsWith(left)).map((line) => line.slice(1)).join("\n");
  assert(file.includes(side("+")), `Cannot find what the document changes:\n${side("+")}`);
  return file.replace(side("+"), () => side("-"));
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}

async function run(cwd: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    // Without the stack of the run, which has other tables: the copy starts its own.
    clearEnv: true,
    env: { ...withoutRun(Deno.env.toObject()), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, output);
  return output;
}

function withoutRun({ LONGSHORE_TEST_STACK: _, ...env }: Record<string, string>): Record<string, string> {
  return env;
}
