/**
 * One person's imports on a stack of the test's own, run to their end while things go wrong. In: a scenario and what is
 * to go wrong when. Out: everything that a person can see afterwards, without ids and times, so that two runs compare.
 */
import postgres from "postgres";
import type { Stack } from "../../local/stack.ts";
import type { Job } from "../../shared/jobs/mod.ts";
import type { Component, Scenario, ScenarioData } from "./import_scenarios.ts";
import { type Person, signUp } from "./people.ts";

export interface ImportLab extends AsyncDisposable {
  stack: Stack;
  person: Person;
  orgId: string;
  /** The database as superuser. */
  admin: postgres.Sql;
}

/** Called again and again while a job is unfinished, with how many steps (checkpoints, slices, states) it has made. */
export type OnStep = (jobId: string, steps: number) => Promise<void>;

export interface RunOptions {
  /** @default nothing goes wrong */
  onStep?: { check?: OnStep; commit?: OnStep };
  /** Asks for the commit. @default by one request, repeated until there is an answer */
  startCommit?: (request: StartRequest) => Promise<Job>;
}

/** What a person sees of an import, and what must not be left of it. */
export interface Sight {
  check: Record<string, unknown>;
  checkProblems: readonly unknown[];
  problemsFile: string | null;
  commit: Record<string, unknown>;
  commitProblems: readonly unknown[];
  components: readonly unknown[];
  milestones: readonly unknown[];
  drawings: readonly unknown[];
  /** Slots, rows and problems that are still staged for the check. */
  staged: unknown;
}

export interface Run {
  sight: Sight;
  /** Looks once more. */
  look(): Promise<Sight>;
  jobs: { check: string; commit: string };
  /** Steps that the two jobs have made. */
  steps: { check: number; commit: number };
  attempts: { check: number; commit: number };
  projectId: string;
  requests: StartRequest[];
}

export interface StartRequest {
  function: "import" | "import-commit";
  body: Record<string, unknown>;
  key: string;
}

/** A job that goes wrong all the time is ended here. */
const PATIENCE_MS = 60_000;
/** What the clock would find in ten seconds, the lab looks for sooner. */
const TICK_AFTER_MS = 150;

export async function importLab(stack: Stack): Promise<ImportLab> {
  const admin = postgres(stack.adminUrl, { max: 4, onnotice: () => {}, prepare: false });
  await admin.unsafe(`
    create schema if not exists tests_imports;
    create or replace function tests_imports.nothing() returns trigger language plpgsql as 'begin return null; end';
    grant usage on schema tests_imports to public;
  `);
  const person = await signUp(stack);
  const { data: org, error } = await person.client.rpc("create_organization", { p_name: "Imports" });
  if (error) throw error;
  return { stack, person, orgId: org.id, admin, [Symbol.asyncDispose]: () => admin.end() };
}

export async function runImport(
  lab: ImportLab,
  { scenario, data }: { scenario: Scenario; data: ScenarioData },
  { onStep = {}, startCommit = (request) => start(lab, request) }: RunOptions = {},
): Promise<Run> {
  const { admin } = lab;
  const projectId = await makeProject(lab, data);
  const path = `${lab.orgId}/${projectId}/${data.fileName}`;
  const { error } = await lab.person.client.storage.from("imports").upload(path, data.bytes, {
    contentType: data.fileName.endsWith("csv")
      ? "text/csv"
      : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  });
  if (error) throw error;
  if (scenario.whole) {
    await admin.unsafe(`create trigger tests_touch_each_other after insert on pipetrak.components
      for each statement execute function tests_imports.nothing()`);
  }
  try {
    const check: StartRequest = {
      function: "import",
      key: crypto.randomUUID(),
      body: {
        dataset: "pipetrak.components",
        scope: { project_id: projectId },
        file: { bucket: "imports", path },
        options: { mode: scenario.mode, ...(scenario.createDrawings ? { create_drawings: true } : {}) },
      },
    };
    const checked = await follow(lab, await start(lab, check), onStep.check);
    if (checked.job.state !== "succeeded") {
      throw new Error(
        `Cannot commit: found a check that ended otherwise: ${await describe(lab, checked.job.id)}`,
      );
    }
    await insertComponents(lab, projectId, data.conflicts);
    const [slot] = await admin<{ slot: number }[]>`
      select slot from jobs_private.staging_slots where job_id = ${checked.job.id}`;
    const commit: StartRequest = {
      function: "import-commit",
      key: crypto.randomUUID(),
      body: { import_id: checked.job.id, ...scenario.commit },
    };
    const committed = await follow(lab, await startCommit(commit), onStep.commit);
    await tick(lab);
    const jobs = { check: checked.job.id, commit: committed.job.id };
    const look = () => see(lab, { jobs, projectId, slot: slot?.slot ?? 0 });
    return {
      sight: await look(),
      look,
      jobs,
      steps: { check: checked.steps, commit: committed.steps },
      attempts: { check: checked.job.attempt, commit: committed.job.attempt },
      projectId,
      requests: [check, commit],
    };
  } finally {
    if (scenario.whole) await admin.unsafe("drop trigger tests_touch_each_other on pipetrak.components");
  }
}

/** Starts a job as an app does whose connection may break: the same request with the same key until there is an answer. */
export async function start(lab: ImportLab, request: StartRequest): Promise<Job> {
  for (let tries = 1;; tries++) {
    const answer = await send(lab, request);
    if (answer.status === 202) return answer.body.job as Job;
    if (answer.status < 500 || tries >= 20) {
      throw new Error(`Cannot start a job: found ${answer.status} ${JSON.stringify(answer.body)}`);
    }
  }
}

/** One request; a connection that breaks counts as status 599. */
export async function send(
  { stack, person }: ImportLab,
  request: StartRequest,
): Promise<{ status: number; body: Record<string, unknown> }> {
  try {
    const response = await fetch(`${stack.url}/functions/v1/${request.function}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        apikey: stack.publishableKey,
        authorization: `Bearer ${person.accessToken}`,
        "idempotency-key": request.key,
      },
      body: JSON.stringify(request.body),
    });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    return { status: 599, body: { message: String(error) } };
  }
}

/** Posts to jobs-tick as the database does; a tick that fails is followed by another. */
export async function tick({ stack }: ImportLab): Promise<void> {
  const response = await fetch(`${stack.url}/functions/v1/jobs-tick`, {
    method: "POST",
    headers: { "content-type": "application/json", apikey: stack.secretKey },
    body: "{}",
  });
  await response.body?.cancel();
}

/** Follows a job to its end. Time passes faster: waits between attempts are cut short, the tick comes at once. */
export async function follow(
  lab: ImportLab,
  { id }: Job,
  onStep?: OnStep,
): Promise<{ job: Job; steps: number }> {
  const deadline = performance.now() + PATIENCE_MS;
  let steps = 0;
  let mark = "";
  let workSince = Infinity;
  for (;;) {
    const [now] = await lab.admin<{ job: Job; mark: string; waits: boolean; work: boolean }[]>`
      select to_jsonb(j) as job, concat_ws(' ', j.state, s.slices, md5(s.cursor::text)) as mark,
        j.state = 'queued' and s.run_after > clock_timestamp() as waits, jobs_private.has_work() as work
      from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id where j.id = ${id}`;
    if (!now) throw new Error(`Cannot find the job "${id}"`);
    if (now.mark !== mark) {
      mark = now.mark;
      steps++;
    }
    await onStep?.(id, steps);
    if (["succeeded", "failed", "cancelled"].includes(now.job.state)) {
      const job = await readJob(lab, id);
      // What went wrong in this very step may have started it again.
      if (job.state === now.job.state && job.version === now.job.version) return { job, steps };
    }
    if (now.waits) {
      await lab.admin`update jobs_private.job_state set run_after = clock_timestamp() where job_id = ${id}`;
    }
    workSince = now.work ? Math.min(workSince, performance.now()) : Infinity;
    if (performance.now() - workSince > TICK_AFTER_MS) {
      await tick(lab);
      workSince = Infinity;
    }
    if (performance.now() > deadline) {
      throw new Error(`Cannot wait for the job any longer: ${await describe(lab, id)}`);
    }
    await delay(4);
  }
}

async function readJob({ admin }: ImportLab, id: string): Promise<Job> {
  const [row] = await admin<{ job: Job }[]>`select to_jsonb(j) as job from jobs.jobs j where j.id = ${id}`;
  if (!row) throw new Error(`Cannot find the job "${id}"`);
  return row.job;
}

async function describe({ admin, stack }: ImportLab, id: string): Promise<string> {
  const log = await Deno.readTextFile(`${stack.dataDir}/functions.log`);
  const [row] = await admin`
    select to_jsonb(j) - 'params' - 'result' as job, to_jsonb(s) - 'cursor' as state, left(s.cursor::text, 300) as cursor,
      (select jsonb_agg(to_jsonb(a)) from (
        select pid, application_name, state, wait_event_type, wait_event, left(query, 100) as query, pg_blocking_pids(pid)
        from pg_stat_activity where usename = 'longshore_worker') a) as sessions
    from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id where j.id = ${id}`;
  const lines = log.split("\n").filter((line) => line.includes(id) || !line.includes('"job_id"')).slice(-25);
  return `${Deno.inspect(row, { depth: 6, strAbbreviateSize: 2000 })}\n${lines.join("\n")}`;
}

async function makeProject(lab: ImportLab, data: ScenarioData): Promise<string> {
  const { data: project, error } = await lab.person.client.schema("pipetrak").from("projects")
    .insert({ org_id: lab.orgId, name: "Import" }).select("id").single();
  if (error) throw error;
  await lab.admin`
    insert into pipetrak.drawings (project_id, number)
    select ${project.id}, number from jsonb_array_elements_text(${lab.admin.json(data.drawings)}) number`;
  await insertComponents(lab, project.id, data.existing);
  return project.id;
}

async function insertComponents(
  { admin }: ImportLab,
  projectId: string,
  components: Component[],
): Promise<void> {
  await admin`
    insert into pipetrak.components (project_id, drawing_id, tag, component_type, quantity)
    select d.project_id, d.id, c.tag, c.type, c.quantity
    from jsonb_to_recordset(${admin.json(components as unknown as postgres.JSONValue)})
      as c (tag text, type text, drawing text, quantity numeric)
    join pipetrak.drawings d on d.project_id = ${projectId} and d.number = c.drawing`;
}

interface SeeOptions {
  jobs: Run["jobs"];
  projectId: string;
  slot: number;
}

async function see(lab: ImportLab, { jobs, projectId, slot }: SeeOptions): Promise<Sight> {
  const { admin, person } = lab;
  const [check, commit] = [await readJob(lab, jobs.check), await readJob(lab, jobs.commit)];
  const problemsOf = async (jobId: string): Promise<readonly unknown[]> =>
    await admin`
      select row, line, sheet, cell, "column", heading, code, message, value
      from jobs.import_problems where job_id = ${jobId} order by row, "column" nulls last, code, message`;
  const [staged] = await admin.unsafe(
    `select
       exists (select from jobs_private.staging_slots where job_id = $1) as slot,
       exists (select from jobs_private.imports where job_id = $1) as plan,
       (select staging_until is not null from jobs_private.job_state where job_id = $1) as until,
       (select count(*)::integer from jobs_staging.rows_${slot}) as rows,
       (select count(*)::integer from jobs_staging.problems_${slot}) as problems,
       (select count(*)::integer from jobs_staging.duplicates_${slot}) as duplicates`,
    [check.id],
  );
  const file = check.result?.problems_file as { bucket: string; path: string } | null | undefined;
  let problemsFile: string | null = null;
  if (file) {
    const { data, error } = await person.client.storage.from(file.bucket).download(file.path);
    if (error) throw error;
    problemsFile = await data.text();
  }
  return {
    check: outcomeOf(check),
    checkProblems: await problemsOf(check.id),
    problemsFile,
    commit: outcomeOf(commit),
    commitProblems: await problemsOf(commit.id),
    components: await admin`
      select c.tag, c.description, c.component_type, d.number as drawing, c.area, c.system, c.quantity, c.weight_kg,
        c.attributes, c.percent_complete
      from pipetrak.components c join pipetrak.drawings d on d.id = c.drawing_id
      where c.project_id = ${projectId} order by c.tag collate "C"`,
    milestones: await admin`
      select c.tag, m.milestone, m.place, m.weight, m.percent_complete, m.version
      from pipetrak.component_milestones m join pipetrak.components c on c.id = m.component_id
      where c.project_id = ${projectId} order by c.tag collate "C", m.place`,
    drawings: await admin`
      select number, revision from pipetrak.drawings where project_id = ${projectId} order by number collate "C"`,
    staged,
  };
}

/** A job's end without its ids and times. */
function outcomeOf({ state, result, error, progress }: Job): Record<string, unknown> {
  const { expires_at, problems_file, preview, ...rest } = result ?? {};
  return {
    state,
    error: error && { ...error, details: { ...error.details, request_id: null } },
    // How far a job came that has failed depends on when that was shown last.
    progress: state === "succeeded" &&
      { done: progress.done, total: progress.total, percent: progress.percent },
    ...rest,
    expires: expires_at !== undefined,
    has_file: problems_file !== undefined && problems_file !== null,
    preview: (preview as Record<string, unknown>[] | undefined)?.map((
      { id: _, project_id: _p, drawing_id: _d, created_at: _c, updated_at: _u, ...row },
    ) => row),
  };
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
