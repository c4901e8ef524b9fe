/** The command line of `deno task export`. */
import { assertEquals, assertThrows } from "@std/assert";
import { parseExportArgs } from "../../../local/cli/parse_export_args.ts";
import { UsageError } from "../../../local/cli/usage_error.ts";

Deno.test("parseExportArgs() has defaults for all but the report", () => {
  assertEquals(parseExportArgs(["pipetrak.drawings"]), {
    report: "pipetrak.drawings",
    format: "csv",
    filters: {},
    columns: null,
    out: "pipetrak.drawings.csv",
    json: false,
    target: { kind: "local", dataDir: null },
  });
});

Deno.test("parseExportArgs() reads every option", () => {
  const flags =
    "--format xlsx --filter a=1 --filter b=x=y --filter a=2 --columns tag,area --out My.xlsx --json";
  const args = parseExportArgs(["r", ...flags.split(" ")]);
  assertEquals([args?.format, args?.out, args?.json], ["xlsx", "My.xlsx", true]);
  assertEquals([args?.filters, args?.columns], [{ a: ["1", "2"], b: ["x=y"] }, ["tag", "area"]]);
});

Deno.test("parseExportArgs() takes the format from the file's name", () => {
  assertEquals(parseExportArgs(["r", "--out", "x.NDJSON"])?.format, "ndjson");
  assertEquals(parseExportArgs(["r", "--out", "x.txt"])?.format, "csv");
});

Deno.test("parseExportArgs() refuses what it cannot follow", () => {
  const cases = [["r", "s"], ["r", "--format", "pdf"], ["r", "--filter", "a"], ["r", "--out", ""], [
    "r",
    "--fromat",
    "csv",
  ]];
  for (const args of cases) assertThrows(() => parseExportArgs(args), UsageError);
  assertThrows(() => parseExportArgs(["r", "--fromat", "csv"]), UsageError, "--format");
  assertEquals(parseExportArgs(["--help"]), null);
});
