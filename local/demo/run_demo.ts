/**
 * The story of the demo, through the same client that apps use. In: a stack's address and a folder. Out: a person, an
 * organization and a project with 20,000 components on that stack, the demo's files in the folder, and the story on
 * standard output. It throws where anything comes out other than it must.
 */
import { join } from "@std/path";
import { createLongshore } from "../../shared/client/mod.ts";
import { openLocalSession } from "../cli/open_local_session.ts";
import { firstProblems, printCheck } from "../cli/print_check.ts";
import { printCommit } from "../cli/print_commit.ts";
import { countedText, countText } from "../cli/terminal/quantities.ts";
import type { LocalStack } from "../cli/use_local_stack.ts";
import { breakRows, cellsOf } from "./break_rows.ts";
import { correctProblems } from "./correct_problems.ts";
import { type Drawing, makeProject } from "./make_project.ts";
import { makeCsv } from "./make_csv.ts";
import { makeSample } from "./make_sample.ts";
import { makeWorkbook } from "./make_workbook.ts";
import { beginChapter, sayDone } from "./narrate.ts";
import { runMonth } from "./run_month.ts";
import { check, commit, expect, type Imports, saveFile } from "./steps.ts";

export interface DemoOutcome {
  /** Where the demo's files lie. */
  filesDir: string;
  /** A small file to try `deno task import` with. */
  samplePath: string;
}

export interface RunDemoOptions {
  /** Cancels the job that runs and ends the story. */
  signal: AbortSignal;
  /** How many rows the workbook has. @default 20000 */
  components?: number;
}

const XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

export async function runDemo(
  stack: LocalStack,
  { signal, components: size = 20_000 }: RunDemoOptions,
): Promise<DemoOutcome> {
  const project = makeProject({ components: size });
  const { rows, mistakes } = breakRows(project.components);
  const filesDir = join(stack.dataDir, "demo");
  await Deno.mkdir(filesDir, { recursive: true });

  beginChapter("A person and a project", "Signed up through Auth, made through the API, as an app does it.");
  const { supabase, person } = await openLocalSession({ ...stack, fresh: true });
  sayDone("Signed up", `${person.email}, organization "Harbour Piping"`);
  const longshore = createLongshore(supabase);
  const imports: Imports = {
    longshore,
    orgId: person.org_id,
    scope: { project_id: person.project_id },
    signal,
  };
  await registerDrawings(imports, project.drawings);

  beginChapter(
    "A workbook with mistakes",
    "The check writes every row for real, under this person's rights and the database's own rules, and takes it " +
      "back. So what it finds is what a commit would find.",
  );
  const workbook = await saveFile(filesDir, "components.xlsx", {
    content: await makeWorkbook(rows),
    type: XLSX_TYPE,
  });
  const first = await check(imports, workbook, { dataset: "pipetrak.components" });
  const examples = await firstProblems(longshore, first.job.id, first.result);
  printCheck(first.result, { examples });
  expect(first.result.invalid === mistakes.size, "as many rows with problems as mistakes", first.result);

  beginChapter(
    "Corrected in problems.csv",
    "The rows with problems come back as a file of their own, with what is wrong beside them. It is corrected and " +
      "goes through the same check.",
  );
  const problems = await longshore.downloadProblems(first.job);
  expect(problems !== null, "a file with the problems", first.result);
  const problemsText = await problems.text();
  await saveFile(filesDir, "components.problems.csv", { content: problemsText, type: "text/csv" });
  const { text, corrected } = correctProblems(problemsText, mistakes);
  sayDone("Corrected", `${countedText(corrected, "row")} of components.problems.csv`);
  const correctedFile = await saveFile(filesDir, "components.corrected.csv", {
    content: text,
    type: "text/csv",
  });
  const second = await check(imports, correctedFile, { dataset: "pipetrak.components" });
  expect(second.result.invalid === 0, "no problems in the corrected file", second.result);
  sayDone("Found", `${countedText(second.result.valid, "row")}, no problems`);

  beginChapter(
    "Committed",
    "First the good rows of the workbook, then the corrected ones: all of them or none.",
  );
  const goodRows = await commit(imports, first.job, "valid_rows");
  printCommit(goodRows);
  console.log();
  const correctedRows = await commit(imports, second.job, "all_or_nothing");
  printCommit(correctedRows);
  expect(goodRows.inserted + correctedRows.inserted === size, "every row written once", correctedRows);
  const { count, error } = await supabase.schema("pipetrak").from("components")
    .select("*", { count: "exact", head: true }).eq("project_id", person.project_id);
  if (error) throw error;
  console.log();
  sayDone(
    "Counted",
    `${countText(count ?? 0)} components in the table, each with the milestones of its type`,
  );

  beginChapter(
    "The same list as CSV, compared",
    'With semicolons, decimal commas and inches that nobody quoted (4"), checked in upsert mode against what is there.',
  );
  const csv = makeCsv(project.components.map((component) => cellsOf(component)));
  const csvFile = await saveFile(filesDir, "components.csv", { content: csv, type: "text/csv" });
  const third = await check(imports, csvFile, {
    dataset: "pipetrak.components",
    options: { mode: "upsert" },
  });
  const { would, invalid } = third.result;
  sayDone(
    "Found",
    `${countText(would.unchanged)} unchanged, ${countText(would.update)} to update, ` +
      `${countText(would.insert)} to insert, ${countText(invalid)} with problems`,
  );
  expect(would.unchanged === size, "every row unchanged", third.result);

  await runMonth({ ...imports, supabase, filesDir });

  const samplePath = join(filesDir, "my.csv");
  await Deno.writeTextFile(samplePath, makeSample(project.drawings));
  return { filesDir, samplePath };
}

async function registerDrawings(imports: Imports, drawings: Drawing[]): Promise<void> {
  const lines = drawings.map(({ number, revision, title }) => `${number},${revision},"${title}"`);
  const file = new File([`number,revision,title\n${lines.join("\n")}\n`], "drawings.csv");
  const { job } = await check(imports, file, { dataset: "pipetrak.drawings" });
  const { inserted } = await commit(imports, job, "all_or_nothing");
  sayDone("Registered", countedText(inserted, "drawing"));
}
