/**
 * The smallest app with an import, as somebody would write it. In: a person at a page, the project's address and
 * publishable key in `config.json`. Out: what the client tells, as text on the page. With the id of a job behind `#` it
 * follows that job once somebody is signed in. It knows nothing of the tests.
 */
import { createClient } from "@supabase/supabase-js";
import {
  checkResult,
  commitResult,
  createLongshore,
  type Job,
  LongshoreClientError,
} from "../../../shared/client/mod.ts";

export interface AppConfig {
  url: string;
  publishableKey: string;
}

const config: AppConfig = await (await fetch("config.json")).json();
const supabase = createClient(config.url, config.publishableKey);
const longshore = createLongshore(supabase);
const form = find("sign-up", HTMLFormElement);
const picker = find("file", HTMLInputElement);
const commitButton = find("commit", HTMLButtonElement);
let projectId = "";

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run(signUp);
});
picker.addEventListener("change", () => run(check));
commitButton.addEventListener("click", () => run(commit));
// Somebody who reloads the page is still signed in, and the job went on without the page.
if ((await supabase.auth.getSession()).data.session) run(follow);

async function signUp(): Promise<void> {
  const given = new FormData(form);
  const { error } = await supabase.auth.signUp({
    email: String(given.get("email")),
    password: String(given.get("password")),
  });
  if (error) throw error;
  const org = await supabase.rpc("create_organization", { p_name: "Harbour Piping" });
  if (org.error) throw org.error;
  const project = await supabase.schema("pipetrak").from("projects")
    .insert({ org_id: org.data.id, name: "Berth 7" }).select("id").single();
  if (project.error) throw project.error;
  projectId = project.data.id;
  tell("project", projectId);
  picker.disabled = false;
  await follow();
}

async function check(): Promise<void> {
  const file = picker.files?.[0];
  if (!file) return;
  const job = await longshore.startImport(file, {
    dataset: "pipetrak.components",
    scope: { project_id: projectId },
    options: { create_drawings: true },
  });
  location.hash = job.id;
  await follow();
}

async function follow(): Promise<void> {
  const id = location.hash.slice(1);
  if (id) await showEnd(await longshore.watch(id, show));
}

async function commit(): Promise<void> {
  commitButton.disabled = true;
  const job = await longshore.commitImport(location.hash.slice(1), { policy: "valid_rows" });
  await showEnd(await longshore.watch(job.id, show));
}

function show(job: Job): void {
  const { phase, percent } = job.progress;
  find("progress", HTMLProgressElement).value = percent ?? 0;
  const state = document.createElement("li");
  state.textContent = `${job.kind} ${job.state} ${phase ?? ""} ${percent ?? ""}`.trim();
  find("states", HTMLElement).append(state);
}

async function showEnd(job: Job): Promise<void> {
  const checked = checkResult(job);
  const committed = commitResult(job);
  if (checked) {
    await showProblems(job.id, checked.problems_by_code);
    tell("outcome", `Checked ${checked.rows}: ${checked.valid} valid, ${checked.invalid} with problems`);
    commitButton.disabled = checked.valid === 0;
  } else if (committed) {
    tell("outcome", `Imported ${committed.inserted}, left out ${committed.skipped}`);
  } else {
    tell("outcome", `Ended ${job.state}: ${job.error?.code ?? "no error"}`);
  }
}

async function showProblems(jobId: string, counts: Record<string, number>): Promise<void> {
  const rows = await Promise.all(
    Object.entries(counts).map(async ([code, count]) => {
      const [first] = await longshore.problems(jobId, { code, limit: 1 });
      const row = document.createElement("tr");
      for (const text of [code, count, first?.row, first?.message]) {
        row.insertCell().textContent = String(text);
      }
      return row;
    }),
  );
  find("problems", HTMLElement).replaceChildren(...rows);
}

/** Runs what an event asks for; what is refused is shown. */
async function run(task: () => Promise<void>): Promise<void> {
  tell("error", "");
  try {
    await task();
  } catch (error) {
    tell("error", error instanceof LongshoreClientError ? `${error.code}: ${error.message}` : String(error));
  }
}

function tell(id: string, text: string): void {
  find(id, HTMLElement).textContent = text;
}

function find<E extends HTMLElement>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new TypeError(`Cannot find the element "${id}"`);
}
