/**
 * Stands in for pg_cron's scheduler. In: the database as superuser. Out: the jobs of `cron.job`, run when due, each in a
 * connection of its own as the job's user, and a row in `cron.job_run_details` for each run.
 *
 * As the real one: time is GMT; a job runs once at a time, and one run that comes due meanwhile follows at once; 32 jobs
 * run at a time; a run that was cut off by a restart is marked as failed. Left out: `@reboot`, catching up on
 * minutes that passed while the machine slept.
 */
import postgres from "postgres";
import { parseSchedule, type Schedule } from "./pg_cron/parse_schedule.ts";

export interface PgCronOptions {
  /** The database as superuser; jobs log in to the same server. */
  adminUrl: string;
}

interface Job {
  jobid: string;
  command: string;
  database: string;
  username: string;
  schedule: Schedule;
  /** When an interval is due next, in ms of the clock. */
  dueAt: number;
  running: boolean;
  /** A run that came due while the job ran. */
  waiting: boolean;
}

const MAX_RUNNING = 32;
const COLUMNS = ["jobid", "schedule", "command", "database", "username"] as const;

export async function startPgCron(options: PgCronOptions): Promise<{ stop(): Promise<void> }> {
  const sql = postgres(options.adminUrl, {
    max: 4,
    onnotice: () => {},
    connection: { application_name: "pg_cron scheduler" },
  });
  const connections = new Set<postgres.Sql>();
  const runs = new Set<Promise<void>>();
  let jobs = new Map<string, Job>();
  let stopped = false;
  let minute = currentMinute();

  async function load(): Promise<void> {
    const rows = await sql<Record<typeof COLUMNS[number], string>[]>`
      select ${sql(COLUMNS)} from cron.job where active`;
    const loaded = new Map<string, Job>();
    for (const row of rows) {
      const schedule = readable(row);
      if (!schedule) continue;
      const known = jobs.get(row.jobid);
      const interval = "everySeconds" in schedule ? schedule.everySeconds * 1000 : Infinity;
      const job = known ?? { ...row, schedule, dueAt: Date.now() + interval, running: false, waiting: false };
      // The same object goes on, for a run of it may be under way.
      const dueAt = Math.min(job.dueAt, Date.now() + interval);
      loaded.set(row.jobid, Object.assign(job, { ...row, schedule, dueAt }));
    }
    jobs = loaded;
  }

  function tick(): void {
    const now = Date.now();
    const thisMinute = currentMinute();
    const newMinute = thisMinute > minute;
    minute = thisMinute;
    for (const job of jobs.values()) {
      if ("isDue" in job.schedule) {
        if (newMinute && job.schedule.isDue(new Date(now))) job.waiting = true;
      } else if (now >= job.dueAt) {
        job.dueAt = Math.max(job.dueAt + job.schedule.everySeconds * 1000, now);
        job.waiting = true;
      }
      if (job.waiting && !job.running && runs.size < MAX_RUNNING) start(job);
    }
  }

  function start(job: Job): void {
    job.waiting = false;
    job.running = true;
    const run = runOnce(job)
      .catch((error) => {
        if (!stopped) console.error(`pg_cron could not record a run of job ${job.jobid}:`, error);
      })
      .finally(() => {
        job.running = false;
        runs.delete(run);
      });
    runs.add(run);
  }

  async function runOnce(job: Job): Promise<void> {
    const { jobid, command, database, username } = job;
    const [details] = await sql<{ runid: string }[]>`
      insert into cron.job_run_details ${sql({ jobid, command, database, username, status: "starting" })}
      returning runid`;
    const runid = details?.runid ?? null;
    const url = new URL(options.adminUrl);
    url.username = username;
    url.pathname = `/${database}`;
    const connection = postgres(url.href, {
      max: 1,
      onnotice: () => {},
      connection: { application_name: "pg_cron" },
      // A run that was cut off must not come back by itself.
      connect_timeout: 10,
    });
    connections.add(connection);
    let outcome: { status: string; return_message: string };
    try {
      const [backend] = await connection<{ pid: number }[]>`select pg_catalog.pg_backend_pid() as pid`;
      const running = { status: "running", job_pid: backend?.pid ?? null };
      await sql`update cron.job_run_details set ${
        sql(running)
      }, start_time = clock_timestamp() where runid = ${runid}`;
      const result = await connection.unsafe(command).simple();
      outcome = { status: "succeeded", return_message: commandTag(result) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      outcome = { status: "failed", return_message: `ERROR:  ${message}` };
    } finally {
      connections.delete(connection);
      await connection.end({ timeout: 1 });
    }
    if (stopped) return;
    await sql`
      update cron.job_run_details
      set ${sql(outcome)}, start_time = coalesce(start_time, clock_timestamp()), end_time = clock_timestamp()
      where runid = ${runid}`;
  }

  await sql`
    update cron.job_run_details
    set status = 'failed', return_message = 'server restarted', end_time = clock_timestamp()
    where status in ('starting', 'connecting', 'sending', 'running')`;
  const loadOrSay = () => {
    load().catch((error) => {
      if (!stopped) console.error("pg_cron could not read its jobs:", error);
    });
  };
  await sql.listen("pg_cron_changed", loadOrSay);
  await load();
  const timer = setInterval(tick, 100);

  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await Promise.all([...connections].map((connection) => connection.end({ timeout: 0 })));
      await Promise.all(runs);
      await sql.end({ timeout: 1 });
    },
  };
}

/** A schedule of the right shape may still ask for minute 61: such a job rests, the others run. */
function readable(row: { jobid: string; schedule: string }): Schedule | null {
  try {
    return parseSchedule(row.schedule);
  } catch (error) {
    console.error(`pg_cron leaves out job ${row.jobid}:`, error);
    return null;
  }
}

function currentMinute(): number {
  return Math.floor(Date.now() / 60_000);
}

/** What psql would print, such as `SELECT 1`; of several statements, the last one's. */
function commandTag(result: postgres.RowList<postgres.Row[]>): string {
  // Several statements come as a plain list of results, which the types do not tell.
  const last = (result.command ? result : result.at(-1)) as
    | Partial<postgres.RowList<postgres.Row[]>>
    | undefined;
  if (!last?.command) return "";
  if (last.command === "INSERT") return `INSERT 0 ${last.count}`;
  return typeof last.count === "number" ? `${last.command} ${last.count}` : last.command;
}
