/** The command for exports, run as a process on the real stack. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readCsv, readWorkbook } from "../../helpers/exports.ts";
import { testStack } from "../../helpers/stack.ts";
import { makeDataDir, runImport } from "./_run_import.ts";

const PROJECT_DIR = fromFileUrl(new URL("../../..", import.meta.url));

async function runExport(args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "local/cli/export.ts", ...args],
    cwd: PROJECT_DIR,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("export writes what import has brought, and no file where it is refused", async () => {
  const dir = await makeDataDir(await testStack());
  try {
    const source = join(dir, "drawings.csv");
    await Deno.writeTextFile(source, "number,title\nISO-1,Header\nISO-2,Return\n");
    const imported = await runImport([source, "--dataset", "pipetrak.drawings", "--commit", "--data", dir]);
    assertEquals(imported.code, 0, imported.err);

    const csv = join(dir, "drawings.out.csv");
    const first = await runExport([
      "pipetrak.drawings",
      "--columns",
      "number,title",
      "--out",
      csv,
      "--data",
      dir,
    ]);
    assertEquals(first.code, 0, first.err);
    assertMatch(first.out, /Rows +2\n/);
    assertMatch(first.err, /Exporting: .*\n/, "progress goes to standard error");
    assertEquals(readCsv(await Deno.readFile(csv)), [["Number", "Title"], ["ISO-1", "Header"], [
      "ISO-2",
      "Return",
    ]]);

    const xlsx = join(dir, "drawings.xlsx");
    const second = await runExport([
      "pipetrak.drawings",
      "--filter",
      "number=ISO-2",
      "--out",
      xlsx,
      "--data",
      dir,
    ]);
    assertEquals(second.code, 0, second.err);
    assertEquals(readWorkbook(await Deno.readFile(xlsx)).rows.map(([number]) => number), ["Number", "ISO-2"]);

    const none = join(dir, "none.csv");
    const refused = await runExport([
      "pipetrak.drawings",
      "--filter",
      "nubmer=1",
      "--out",
      none,
      "--data",
      dir,
    ]);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.err, 'the nearest is "number"');
    const names = [...Deno.readDirSync(dir)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.startsWith("none")), []);

    const list = await runExport(["--data", dir]);
    assertStringIncludes(list.out, "pipetrak.components");
    assertEquals((await runExport(["r", "--fromat", "csv"])).code, 2);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
