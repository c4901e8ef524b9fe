/**
 * What can go wrong with a job while it runs. In: a job on a stack of the test's own. Out: the fault, done for real: to
 * the isolate's process, to the database's sessions, to the messages between them. Each leaves everything as it was, but
 * for the job, and does nothing where there is nothing to hit.
 */
import type { IsolateInfo } from "../../local/functions.ts";
import { delay, type ImportLab, type OnStep, tick } from "./import_lab.ts";
import type { Random } from "./random.ts";

export type FunctionName = "import" | "import-commit";

export interface Target {
  jobId: string;
  function: FunctionName;
}

type Fault = (lab: ImportLab, target: Target, random: Random) => Promise<void>;

export const faults = {
  /** The process dies. */
  kill: async (lab, { jobId, function: name }) => {
    await lab.stack.functionsControl.kill(name);
    await expireLease(lab, jobId);
  },
  /** The process dies, and its lease runs out by itself. */
  kill_and_wait: async (lab, { function: name }) => {
    await lab.stack.functionsControl.kill(name);
  },
  cut_work: (lab, { jobId }) => cutSessions(lab, jobId, ["work"]),
  cut_beside: (lab, { jobId }) => cutSessions(lab, jobId, ["beside"]),
  cut_second: (lab, { jobId }) => cutSessions(lab, jobId, ["second"]),
  cut_all: (lab, { jobId }) => cutSessions(lab, jobId, ["work", "second", "beside"]),
  /** The process sleeps, another slice takes over, and then it wakes up. */
  freeze: (lab, target, random) => freeze(lab, target, { random, hidden: false, alone: false }),
  /** The same where a pooler hides the sleeper's session, so that nobody can end it. */
  freeze_behind_pooler: (lab, target, random) => freeze(lab, target, { random, hidden: true, alone: false }),
  /** The same, and the slice that took over sleeps too when the first one wakes up: nothing but its token stops it. */
  freeze_in_turn: (lab, target, random) => freeze(lab, target, { random, hidden: true, alone: true }),
  /** The isolate reaches 90 % of its CPU time: it hears of its end, and is killed soon after. */
  cpu_limit: async ({ stack: { functionsControl: control } }, { function: name }) => {
    const used = Math.max(10, ...(await working(control, name)).map(({ cpuMs }) => cpuMs));
    control.setLimits(name, { cpuHardMs: used / 0.95 });
    await until(async () => (await working(control, name)).length === 0, 300);
    control.setLimits(name, null);
  },
  /** The owner stops the job and has it tried again; one that has ended by itself stays as it is. */
  cancel_and_retry: async ({ person }, { jobId }, random) => {
    const jobs = person.client.schema("jobs");
    const { data: job } = await jobs.rpc("cancel_job", { job_id: jobId }).throwOnError();
    await delay(random.pick([0, 10, 100]));
    if (job.state === "cancelled") await jobs.rpc("retry_job", { job_id: jobId }).throwOnError();
  },
  /** Storage answers that it cannot, whatever it is asked. */
  break_storage: async ({ admin }) => {
    await admin.begin(async (sql) => {
      await sql`set local lock_timeout = '300ms'`;
      await sql`lock table storage.objects in access exclusive mode`;
      await until(async () => {
        const [row] = await sql<{ ended: number }[]>`
          select count(pg_cancel_backend(pid))::integer as ended from pg_stat_activity
          where application_name = 'storage' and wait_event_type = 'Lock'`;
        return row?.ended !== 0;
      }, 200);
    }).catch(ignoreLocks);
  },
  /** For a while the database's messages to the functions get lost. */
  lose_nudges: async (lab, _target, random) => {
    const deaf = random.pick([50, 200, 500]);
    await lab.admin`update tests_imports.nudges set lost = true`;
    await delay(deaf);
    await lab.admin`update tests_imports.nudges set lost = false`;
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

/** A fault that comes `delayMs` after the job's step `atStep`. */
export interface PlannedFault {
  name: FaultName;
  atStep: number;
  delayMs: number;
}

/** Prepares what the faults need in the database. */
export async function prepareFaults({ admin }: ImportLab): Promise<void> {
  await admin.unsafe(`
    drop trigger if exists tests_lose_nudges on net.http_request_queue;
    drop table if exists tests_imports.nudges;
    create table tests_imports.nudges (lost boolean not null);
    insert into tests_imports.nudges values (false);
    create or replace function tests_imports.lose_nudges() returns trigger language plpgsql security definer as $$
    begin
      return case when (select lost from tests_imports.nudges) then null else new end;
    end
    $$;
    create trigger tests_lose_nudges before insert on net.http_request_queue
      for each row execute function tests_imports.lose_nudges();
  `);
}

/** Lets the faults come when their time has come; `done` notes those that have. */
export function injector(
  lab: ImportLab,
  { plan, name, random, done }: { plan: PlannedFault[]; name: FunctionName; random: Random; done: string[] },
): OnStep {
  const open = plan.toSorted((a, b) => a.atStep - b.atStep);
  return async (jobId, steps) => {
    while (open[0] && open[0].atStep <= steps) {
      const fault = open.shift()!;
      await delay(fault.delayMs);
      done.push(`${name}: ${fault.name} ${fault.delayMs} ms after step ${steps}`);
      await faults[fault.name](lab, { jobId, function: name }, random);
    }
  };
}

type Control = ImportLab["stack"]["functionsControl"];

async function working(control: Control, name: FunctionName): Promise<IsolateInfo[]> {
  return (await control.isolates(name)).filter(({ state }) => state === "active" || state === "retired");
}

interface FreezeOptions {
  random: Random;
  /** Whether the database cannot end the sleeper's session. */
  hidden: boolean;
  /** Whether the next slice sleeps while the first one is awake again. */
  alone: boolean;
}

async function freeze(
  lab: ImportLab,
  { jobId, function: name }: Target,
  { random, hidden, alone }: FreezeOptions,
) {
  const { stack: { functionsControl: control }, admin } = lab;
  const pids = new Set((await working(control, name)).map(({ pid }) => pid));
  const next: IsolateInfo[] = [];
  for (const pid of pids) signal(pid, "SIGSTOP");
  try {
    const before = await readState(lab, jobId);
    if (!before || before.state !== "running") return;
    // The platform sends the next request elsewhere.
    control.setLimits(name, { cpuSoftMs: 0.001 });
    await until(
      async () => !(await control.isolates(name)).some(({ state, cpuMs }) => state === "active" && cpuMs > 0),
      1000,
    );
    control.setLimits(name, null);
    // Where it sleeps with its row locked, waiting for the row would be waiting for the database to end the session.
    if (hidden) {
      await admin`
        update jobs_private.job_state set backend_pid = null
        where job_id in (
          select job_id from jobs_private.job_state where job_id = ${jobId} for no key update skip locked
        )`;
    }
    await expireLease(lab, jobId);
    // It may sleep with the job's own row locked, and then nobody can take over.
    await until(async () => {
      await tick(lab);
      await admin`update jobs_private.job_state set run_after = clock_timestamp() where job_id = ${jobId} and token is null`;
      const now = await readState(lab, jobId);
      return !now || now.slices > before.slices || !["queued", "running"].includes(now.state);
    }, 3000).catch(ignoreLocks);
    await delay(alone ? 0 : random.pick([0, 5, 20, 100]));
    if (alone) next.push(...(await working(control, name)).filter(({ pid }) => !pids.has(pid)));
    for (const { pid } of next) signal(pid, "SIGSTOP");
    for (const pid of pids) signal(pid, "SIGCONT");
    // A retired isolate ends when it has nothing left to do.
    if (alone) {
      await until(async () => !(await working(control, name)).some(({ pid }) => pids.has(pid)), 1500);
    }
  } finally {
    control.setLimits(name, null);
    for (const pid of [...pids, ...next.map(({ pid }) => pid)]) signal(pid, "SIGCONT");
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

async function readState({ admin }: ImportLab, jobId: string) {
  const [row] = await admin<{ state: string; slices: number }[]>`
    select j.state, s.slices from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id where j.id = ${jobId}`;
  return row;
}

/** Makes the lease run out now, unless its row is locked at this moment: then the clock will. */
async function expireLease({ admin }: ImportLab, jobId: string): Promise<void> {
  await admin`
    update jobs_private.job_state set lease_expires_at = clock_timestamp() - interval '1 ms'
    where token is not null and job_id in (
      select job_id from jobs_private.job_state where job_id = ${jobId} for no key update skip locked
    )`;
}

type Session = "work" | "second" | "beside";

async function cutSessions({ admin }: ImportLab, jobId: string, which: Session[]): Promise<void> {
  await admin`
    select pg_terminate_backend(a.pid)
    from jobs_private.job_state s
    join pg_stat_activity a on a.application_name = s.worker and ${which.includes("work")}
      or a.application_name = s.worker || '-second' and ${which.includes("second")}
      or a.application_name = s.worker || '-beside' and ${which.includes("beside")}
    where s.job_id = ${jobId}`;
}

/** Waits until something is so, at most for a while. */
async function until(isSo: () => Promise<boolean>, atMostMs: number): Promise<void> {
  const deadline = performance.now() + atMostMs;
  while (!await isSo() && performance.now() < deadline) await delay(5);
}

function ignoreLocks(error: { code?: string }): void {
  if (error.code !== "55P03") throw error;
}
