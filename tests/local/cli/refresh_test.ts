/** The command for refreshes, run as a process on the real stack. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { parseRefreshArgs } from "../../../local/cli/parse_refresh_args.ts";
import { UsageError } from "../../../local/cli/usage_error.ts";
import { testStack } from "../../helpers/stack.ts";
import { makeDataDir } from "./_run_import.ts";

const PROJECT_DIR = fromFileUrl(new URL("../../..", import.meta.url));

async function runRefresh(args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "local/cli/refresh.ts", ...args],
    cwd: PROJECT_DIR,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("refresh makes a person with an account at its first use, and says as of when the numbers are", async () => {
  const dir = await makeDataDir(await testStack());
  try {
    const { code, out, err } = await runRefresh(["certus.mv_metrics_daily", "--data", dir]);
    assertEquals(code, 0, err);
    assertMatch(
      out,
      /View +certus\.mv_metrics_daily\n +As of +\d{4}-\d\d-\d\d [\d:]{8} UTC\n +Took +[\d.]+ m?s/,
    );
    assertMatch(err, /Refreshing: done in/, "progress goes to standard error");
    const json = await runRefresh(["certus.mv_metrics_daily", "--data", dir, "--json"]);
    assertEquals(JSON.parse(json.out).state, "succeeded");
    const unknown = await runRefresh(["certus.mv_metrics", "--data", dir]);
    assertEquals(unknown.code, 1);
    assertMatch(unknown.err, /^unknown_view: .+ "certus\.mv_metrics_daily"/m);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("parseRefreshArgs() reads the view and the target", () => {
  assertEquals(parseRefreshArgs(["a.b", "--json", "--data", "d"]), {
    view: "a.b",
    json: true,
    target: { kind: "local", dataDir: "d" },
  });
  assertEquals(parseRefreshArgs(["--help"]), null);
});

for (const line of ["", "a.b c.d", "a.b --dat d", "a.b --data=", "a.b --key k"]) {
  Deno.test(`parseRefreshArgs() refuses "${line}"`, () => {
    assertThrows(() => parseRefreshArgs(line.split(" ").filter(Boolean)), UsageError);
  });
}
