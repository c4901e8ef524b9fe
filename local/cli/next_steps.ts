/** What a person can do after an import. In: how it went. Out: lines; none where nothing is left to do. */
import { bold, dim } from "@std/fmt/colors";
import type { CheckResult, Job } from "../../shared/client/mod.ts";
import type { ImportArgs } from "./parse_import_args.ts";
import { countedText, countText } from "./terminal/quantities.ts";

export interface Outcome {
  result: CheckResult;
  /** The last job that ran: the check or its commit. */
  last: Job;
  args: ImportArgs;
  /** The command line as it was typed. */
  typed: string[];
  problemsPath: string | null;
}

export function nextSteps({ result, last, args, typed, problemsPath }: Outcome): string[] {
  const steps: [string, string | null][] = [];
  const written = last.kind === "import_commit" && last.state === "succeeded";
  if (problemsPath) {
    steps.push([
      `Correct the rows in ${problemsPath} and import that file`,
      commandLine([problemsPath, ...flagsOf(typed, args.file)]),
    ]);
  }
  if ((result.problems_by_code["unknown_reference"] ?? 0) > 0 && args.dataset === "pipetrak.components") {
    steps.push([
      "Drawings that are not in the register: import them first (number, revision, title)",
      commandLine(["drawings.csv", "--dataset", "pipetrak.drawings", "--commit"]),
    ], [
      "or have those that the file names added on the way",
      commandLine([...typed, "--option", "create_drawings=true"]),
    ]);
  }
  const newRows = result.would.insert === 0 && (result.problems_by_code["duplicate_existing"] ?? 0) > 0;
  if (newRows && (args.options.mode ?? "insert") === "insert") {
    steps.push([
      "The rows are there already: compare and update them",
      commandLine([...typed, "--mode", "upsert"]),
    ]);
  }
  const writes = result.would.insert + result.would.update;
  if (!args.commit && writes > 0) {
    steps.push(
      result.invalid === 0 ? [`Write ${countedText(writes, "row")}`, commandLine([...typed, "--commit"])] : [
        `Write the good rows (${countText(result.valid)}) and leave the others out`,
        commandLine([...typed, "--commit", "--policy", "valid_rows"]),
      ],
    );
  }
  if (steps.length === 0) {
    return written || writes > 0 ? [] : ["", "  Nothing to write: every row is there as it is."];
  }
  return [
    "",
    bold("  What next"),
    ...steps.flatMap(([what, command]) => [`  ${what}`, ...(command ? [dim(`    ${command}`)] : [])]),
  ];
}

/** What was typed, without the file. */
function flagsOf(typed: string[], file: string): string[] {
  const at = typed.indexOf(file);
  return typed.filter((_, place) => place !== at);
}

function commandLine(args: string[]): string {
  return ["deno task import", ...args.map(quoted)].join(" ");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
