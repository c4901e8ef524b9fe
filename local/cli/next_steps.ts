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

const COMMITTING = ["commit", "policy", "stop-after"];
/** What problems.csv does not take over from the file it comes from. */
const READING = ["sheet", "header-row", "delimiter", "encoding"];
const TARGET = ["data", "url", "key", "email", "password", "token", "org"];

export function nextSteps({ result, last, args, typed, problemsPath }: Outcome): string[] {
  const { would, invalid, valid, problems_by_code: problems } = result;
  const written = last.kind === "import_commit" && last.state === "succeeded";
  const cutOff = last.kind === "import_commit" && !written && args.commit?.policy !== "all_or_nothing";
  const writes = would.insert + would.update;
  const inserts = (args.options.mode ?? "insert") === "insert";
  const upsert = [...without(typed, ["mode"]), "--mode", "upsert"];
  const steps: Step[] = [];

  if (cutOff) {
    const what = "Go on; rows that were written before it ended stay, and are compared";
    steps.push(step(what, inserts ? upsert : typed));
  }
  if (problems["duplicate_existing"] && inserts) {
    steps.push(step("Compare rows that are there already, and update them", upsert));
  }

  if (problemsPath) {
    const flags = without(typed, [...COMMITTING, ...READING], args.file);
    steps.push(step(`Correct the rows in ${problemsPath} and import that file`, [problemsPath, ...flags]));
  }
  if (problems["unknown_reference"] && args.dataset === "pipetrak.components") {
    const drawings = ["drawings.csv", "--dataset", "pipetrak.drawings", "--commit", ...only(typed, TARGET)];
    steps.push(
      step("Register the drawings that are missing first (number, revision, title)", drawings),
      step("or have them added on the way", [...typed, "--option", "create_drawings=true"]),
    );
  }
  if (!written && !cutOff && writes > 0) {
    const flags = [...without(typed, COMMITTING), "--commit"];
    steps.push(
      invalid === 0
        ? step(`Write ${countedText(writes, "row")}`, flags)
        : step(`Write the good rows (${countText(valid)}) and leave the others out`, [
          ...flags,
          "--policy",
          "valid_rows",
        ]),
    );
  }
  if (steps.length > 0) return stepLines(steps);
  if (result.rows === 0) return ["", "  Nothing to write: the file has headings and no rows."];
  return written || writes > 0 ? [] : ["", "  Nothing to write: every row is there as it is."];
}

/** The same after a check that failed; none where its message says all there is to say. */
export function stepsAfterFailure(job: Job, typed: string[]): string[] {
  const missing = job.error?.code === "missing_columns" ? job.error.details?.["missing"] : null;
  if (!Array.isArray(missing) || missing.length === 0) return [];
  const mapping = missing.flatMap((column) => ["--map", `HEADING=${column}`]);
  return stepLines([
    step("Say which of the headings is which column", [...typed, ...mapping]),
    step("or in which row the headings are", [...without(typed, ["header-row"]), "--header-row", "N"]),
  ]);
}

interface Step {
  what: string;
  command: string;
}

function step(what: string, args: string[]): Step {
  return { what, command: commandLine(args) };
}

function stepLines(steps: Step[]): string[] {
  return [
    "",
    bold("  What next"),
    ...steps.flatMap(({ what, command }) => [`  ${what}`, dim(`    ${command}`)]),
  ];
}

/** What was typed without some options, and without the file where it is named. */
function without(typed: string[], names: string[], file?: string): string[] {
  return partsOf(typed)
    .filter(({ name, texts }) => name === null ? texts[0] !== file : !names.includes(name))
    .flatMap(({ texts }) => texts);
}

function only(typed: string[], names: string[]): string[] {
  return partsOf(typed).filter(({ name }) => name !== null && names.includes(name)).flatMap(({ texts }) =>
    texts
  );
}

/** Options with their values, each together; the name of a file has none. */
function partsOf(typed: string[]): { name: string | null; texts: string[] }[] {
  const parts: { name: string | null; texts: string[] }[] = [];
  for (let place = 0; place < typed.length; place++) {
    const text = typed[place] ?? "";
    if (!text.startsWith("--")) {
      parts.push({ name: null, texts: [text] });
      continue;
    }
    const [name = "", value] = text.slice(2).split("=", 2);
    const alone = value !== undefined || name === "commit" || name === "json";
    parts.push({ name, texts: alone ? [text] : typed.slice(place, ++place + 1) });
  }
  return parts;
}

function commandLine(args: string[]): string {
  return ["deno task import", ...args.map(quoted)].join(" ");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
