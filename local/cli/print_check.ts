/**
 * What a check found, for a person. In: the job of a check that succeeded and an example of each kind of problem. Out:
 * lines on standard output. It says what was found, not what to do about it.
 */
import { bold, dim, green, red, yellow } from "@std/fmt/colors";
import type { CheckResult, ImportProblem, Longshore } from "../../shared/client/mod.ts";
import { countText } from "./terminal/quantities.ts";
import { tableLines, wrap } from "./terminal/table.ts";
import { terminalWidth } from "./terminal/terminal_width.ts";

const NAMES_SHOWN = 12;

export interface PrintCheckOptions {
  /** The first problem of each code, from `firstProblems()`. */
  examples: ImportProblem[];
}

/** The first problem of each code, the most frequent code first. */
export async function firstProblems(
  longshore: Longshore,
  jobId: string,
  { problems_by_code }: Pick<CheckResult, "problems_by_code">,
): Promise<ImportProblem[]> {
  const codes = Object.entries(problems_by_code).sort(([, a], [, b]) => b - a).map(([code]) => code);
  const pages = await Promise.all(codes.map((code) => longshore.problems(jobId, { code, limit: 1 })));
  return pages.flat();
}

export function printCheck(result: CheckResult, { examples }: PrintCheckOptions): void {
  const width = terminalWidth();
  const { rows, valid, invalid, would } = result;
  const counts: [string, number, (text: string) => string][] = [
    ["Rows", rows, bold],
    ["Valid", valid, green],
    ["With problems", invalid, invalid > 0 ? red : dim],
    ["Would insert", would.insert, (text) => text],
    ["Would update", would.update, (text) => text],
    ["Unchanged", would.unchanged, (text) => text],
    ...(result.hidden_rows
      ? [["Hidden rows", result.hidden_rows, yellow] as [string, number, typeof yellow]]
      : []),
  ];
  console.log();
  for (const [name, count, style] of counts) {
    console.log(`  ${name.padEnd(14)}${style(countText(count).padStart(10))}`);
  }
  if (invalid > 0) {
    console.log();
    for (const line of problemLines(result.problems_by_code, examples, width)) console.log(line);
  }
  console.log();
  for (const line of columnLines(result, width)) console.log(line);
}

function problemLines(counts: CheckResult["problems_by_code"], examples: ImportProblem[], width: number) {
  // A message quotes what was found; a narrow terminal shows it only there.
  const narrow = width < 100;
  return tableLines({
    columns: [
      { heading: "Problem" },
      { heading: "Count", align: "right" },
      { heading: "First at" },
      { heading: "Heading", maxWidth: 14 },
      ...(narrow ? [] : [{ heading: "Found", maxWidth: 16 }]),
      { heading: "Message" },
    ],
    rows: examples.map((problem) => [
      yellow(problem.code),
      countText(counts[problem.code] ?? 0),
      placeOf(problem),
      problem.heading ?? "",
      ...(narrow ? [] : [problem.value ?? ""]),
      problem.message,
    ]),
  }, { width });
}

function placeOf({ cell, line, row }: ImportProblem): string {
  return cell ?? (line === null ? `row ${row}` : `line ${line}`);
}

function columnLines({ columns, sheet, encoding, delimiter }: CheckResult, width: number): string[] {
  const { mapped, ignored, missing } = columns;
  const file = [
    ...(sheet === undefined ? [] : [`sheet "${sheet}"`]),
    ...(encoding === undefined ? [] : [encoding]),
    ...(delimiter === undefined ? [] : [`delimiter ${delimiter === "\t" ? "tab" : `"${delimiter}"`}`]),
  ];
  const facts: [string, string][] = [
    ["File", file.join(", ")],
    ["Columns", Object.entries(mapped).map(([heading, name]) => renamed(heading, name)).join(", ")],
    ["Ignored", firstNames(ignored)],
    ["Not there", missing.join(", ")],
  ];
  return facts.filter(([, text]) => text !== "").flatMap(([name, text]) =>
    wrap(text, width - 18).map((part, number) => `  ${dim((number === 0 ? name : "").padEnd(14))}${part}`)
  );
}

/** A sheet may have hundreds of columns that are none of the dataset's. */
function firstNames(headings: string[]): string {
  const shown = headings.length > NAMES_SHOWN + 1 ? headings.slice(0, NAMES_SHOWN) : headings;
  const more = headings.length - shown.length;
  return shown.map((heading) => `"${heading}"`).join(", ") + (more > 0 ? ` and ${countText(more)} more` : "");
}

/** A heading that is the column's name needs no arrow. */
function renamed(heading: string, name: string): string {
  const plain = heading.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return plain === name ? name : `${heading} → ${name}`;
}
