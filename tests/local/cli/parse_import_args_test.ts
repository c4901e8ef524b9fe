/** The command line of `deno task import`. */
import { assertEquals, assertThrows } from "@std/assert";
import { parseImportArgs } from "../../../local/cli/parse_import_args.ts";
import { UsageError } from "../../../local/cli/usage_error.ts";

Deno.test("parseImportArgs() has defaults for all but the file", () => {
  assertEquals(parseImportArgs(["2024"]), {
    file: "2024",
    dataset: "pipetrak.components",
    scope: null,
    options: {},
    commit: null,
    json: false,
    target: { kind: "local", dataDir: null },
    orgId: null,
  });
});

Deno.test("parseImportArgs() reads every option", () => {
  const args = parseImportArgs([
    ...[
      "my list.xlsx",
      "--dataset",
      "x.y",
      "--scope",
      "project_id=p",
      "--scope",
      "site=a=b",
      "--mode=upsert",
    ],
    ...["--sheet", "Valves", "--header-row", "3", "--delimiter", "tab", "--encoding", "utf-16le"],
    ...["--map", "Line = No=tag", "--map", "Note=", "--date-order", "dmy", "--decimal", ","],
    ...["--stop-after-problems", "50", "--option", "create_drawings=true", "--option", "depth=2"],
    ...["--commit", "--policy", "stop_after", "--stop-after", "7", "--org", "o", "--json", "--data", "d"],
  ]);
  assertEquals(args, {
    file: "my list.xlsx",
    dataset: "x.y",
    scope: { project_id: "p", site: "a=b" },
    options: {
      mode: "upsert",
      sheet: "Valves",
      header_row: 3,
      delimiter: "\t",
      encoding: "utf-16le",
      columns: { "Line = No": "tag", Note: null },
      date_order: "dmy",
      decimal: ",",
      stop_after_problems: 50,
      create_drawings: true,
      depth: 2,
    },
    commit: { policy: "stop_after", stopAfter: 7 },
    json: true,
    target: { kind: "local", dataDir: "d" },
    orgId: "o",
  });
});

Deno.test("parseImportArgs() keeps secrets out of the command line where the environment has them", () => {
  const remote = ["a.csv", "--url", "https://x.example", "--key", "k"];
  assertEquals(parseImportArgs([...remote, "--email", "e"], { LONGSHORE_PASSWORD: "s" })?.target, {
    kind: "remote",
    url: "https://x.example",
    key: "k",
    login: { email: "e", password: "s" },
  });
  assertEquals(parseImportArgs(remote, { LONGSHORE_TOKEN: "t" })?.target, {
    kind: "remote",
    url: "https://x.example",
    key: "k",
    login: { token: "t" },
  });
});

Deno.test("parseImportArgs() asks for help with null", () => {
  assertEquals(parseImportArgs(["--help"]), null);
});

const REFUSED: [args: string[], says: string][] = [
  [[], "found no file"],
  [["a.csv", "b.csv"], "expected one file"],
  [["a.csv", "--datset", "x"], "did you mean --dataset"],
  [["a.csv", "--mode", "replace"], '"insert", "upsert" or "update"'],
  [["a.csv", "--header-row", "0"], "whole number from 1"],
  [["a.csv", "--header-row", "2.5"], "whole number from 1"],
  [["a.csv", "--sheet"], "nothing after it"],
  [["a.csv", "--scope", "project"], "name=value"],
  [["a.csv", "--map", "=tag"], "Heading=column"],
  [["a.csv", "--policy", "valid_rows"], "expected --commit"],
  [["a.csv", "--commit", "--policy", "stop_after"], "--stop-after N"],
  [["a.csv", "--commit", "--stop-after", "3"], "together"],
  [["a.csv", "--key", "k"], "expected --url"],
  [["a.csv", "--url", "nowhere", "--key", "k", "--token", "t"], "expected an address"],
  [["a.csv", "--url", "https://x", "--token", "t"], "expected --key"],
  [["a.csv", "--url", "https://x", "--key", "k"], "--email and --password"],
  [["a.csv", "--url", "https://x", "--key", "k", "--token", "t", "--data", "d"], "one of them"],
];

for (const [args, says] of REFUSED) {
  Deno.test(`parseImportArgs() refuses "${args.join(" ")}"`, () => {
    assertThrows(() => parseImportArgs(args), UsageError, says);
  });
}
