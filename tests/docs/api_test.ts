/** The examples of docs/api.md, which are one program, run against the real stack. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import { testStack } from "../helpers/stack.ts";

const PROJECT_DIR = fromFileUrl(new URL("../..", import.meta.url));

Deno.test("docs/api.md shows a program that runs and says what its comments say", async () => {
  const stack = await testStack();
  const text = await Deno.readTextFile(join(PROJECT_DIR, "docs/api.md"));
  const examples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]);
  const program = examples.join("\n")
    .replaceAll("./shared/client/mod.ts", toFileUrl(join(PROJECT_DIR, "shared/client/mod.ts")).href)
    .replace("http://127.0.0.1:54321", stack.url)
    .replace("sb_publishable_…", stack.publishableKey)
    .replace("robin@example.test", `robin-${crypto.randomUUID()}@example.test`) +
    "\nDeno.exit(0);\n";
  const dir = await Deno.makeTempDir({ prefix: "longshore_docs_" });
  await Deno.writeTextFile(join(dir, "example.ts"), program);

  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--check", "--config", join(PROJECT_DIR, "deno.json"), join(dir, "example.ts")],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  await Deno.remove(dir, { recursive: true });
  const out = new TextDecoder().decode(stdout);
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  assertMatch(out, /rows: 2,\s+valid: 1,?|invalid: 1/);
  assertStringIncludes(out, 'not_in_list Type "spol" is not in the list');
  assertMatch(out, /already_committed [0-9a-f-]{36}/);
  assertMatch(out, /skipped: 1/);
  assertStringIncludes(out, "1 SP-1,,spool,ISO-1,");
});
