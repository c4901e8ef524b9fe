/** What goes wrong while a view is refreshed, and the clock: on a stack of its own, whose settings and isolates it changes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type RefreshLab, refreshLab } from "../helpers/refresh_lab.ts";
import { ownStack } from "../helpers/stack.ts";

const stack = await ownStack();

/** Time passes faster: leases, waits and the tick are a matter of a second. */
async function hurry({ admin }: RefreshLab): Promise<void> {
  await admin`
    update jobs.settings set lease_seconds = 2, heartbeat_seconds = 1, backoff_seconds = 1, nudge_seconds = 1`;
  await admin`update cron.job set schedule = '1 seconds' where jobname = 'longshore-tick'`;
}

async function runsOf({ admin, view }: RefreshLab) {
  return [
    ...await admin<{ state: string; code: string | null }[]>`
    select state, error ->> 'code' as code from jobs.refreshes where view = ${view} order by id`,
  ];
}

/** The sessions of slices that are in a refresh. */
async function refreshing({ admin }: RefreshLab): Promise<number[]> {
  const rows = await admin<{ pid: number }[]>`
    select pid from pg_stat_activity
    where usename = 'longshore_worker' and state = 'active' and query like '%refresh_view%'`;
  return rows.map(({ pid }) => pid);
}

Deno.test("a refresh whose isolate is killed is done again, and the orphan in the database ends by itself", async () => {
  await using lab = await refreshLab(stack);
  await hurry(lab);
  await lab.write();
  const gate = await lab.closeGate();
  const job = await lab.start(lab.owner);
  await lab.untilAtGate();
  const waiting = await lab.start(lab.owner);
  const [orphan] = await refreshing(lab);
  stack.functionsControl.kill("refresh-metrics");
  await lab.until(async () => !(await refreshing(lab)).includes(orphan!));
  assertEquals(await lab.read(), 0);
  await gate.open();
  const [ended, served] = [await lab.ended(job.id), await lab.ended(waiting.id)];
  assertEquals([ended.state, served.state], ["succeeded", "succeeded"]);
  assertEquals(await lab.read(), 1);
  const runs = await runsOf(lab);
  assertEquals([runs[0], runs.at(-1)], [{ state: "failed", code: "internal" }, {
    state: "succeeded",
    code: null,
  }]);
});

Deno.test("a refresh whose session is cut is tried again", async () => {
  await using lab = await refreshLab(stack);
  await hurry(lab);
  const gate = await lab.closeGate();
  const job = await lab.start(lab.owner);
  await lab.untilAtGate();
  const [pid] = await refreshing(lab);
  await lab.admin`select pg_terminate_backend(${pid!})`;
  await gate.open();
  const ended = await lab.ended(job.id);
  assertEquals([ended.state, ended.attempt], ["succeeded", 2]);
});

Deno.test("a refresh whose isolate comes to its end is done again at once, as the same attempt", async () => {
  await using lab = await refreshLab(stack);
  await hurry(lab);
  const gate = await lab.closeGate();
  const job = await lab.start(lab.owner);
  await lab.untilAtGate();
  const [orphan] = await refreshing(lab);
  // Nine tenths of its time: it hears of its end, and is killed soon after.
  const used = Math.max(
    10,
    ...(await stack.functionsControl.isolates("refresh-metrics")).map((at) => at.cpuMs),
  );
  stack.functionsControl.setLimits("refresh-metrics", { cpuHardMs: used / 0.91 });
  await lab.until(async () => (await lab.job(job.id)).state === "queued");
  stack.functionsControl.setLimits("refresh-metrics", null);
  await lab.until(async () => !(await refreshing(lab)).includes(orphan!));
  await gate.open();
  const ended = await lab.ended(job.id);
  assertEquals([ended.state, ended.attempt], ["succeeded", 1]);
});

Deno.test("a refresh that takes longer than refresh_seconds fails at once and for good", async () => {
  await using lab = await refreshLab(stack);
  const gate = await lab.closeGate();
  await lab.admin`update jobs.settings set refresh_seconds = 1`;
  const ended = await lab.ended((await lab.start(lab.owner)).id);
  await lab.admin`update jobs.settings set refresh_seconds = 120`;
  await gate.open();
  assertEquals([ended.state, ended.attempt, ended.error?.code], ["failed", 1, "refresh_failed"]);
  assertMatch(ended.error!.message, /took longer than it may; it has no numbers yet$/);
  assertEquals((await lab.ended((await lab.start(lab.owner)).id)).state, "succeeded");
});

Deno.test("a refresh says how long it has taken, of the time that the last one took", async () => {
  await using lab = await refreshLab(stack);
  await lab.ended((await lab.start(lab.owner)).id);
  await lab.admin`update jobs.refreshable_views set duration_ms = 60000 where view = ${lab.view}`;
  const gate = await lab.closeGate();
  const job = await lab.start(lab.owner);
  await lab.until(async () => (await lab.job(job.id)).progress.done > 0.5);
  const { phase, total, unit, percent, eta_seconds } = (await lab.job(job.id)).progress;
  assertEquals([phase, total, unit], ["refreshing", 60, "seconds"]);
  assert(percent! > 0 && percent! < 50 && eta_seconds! > 30);
  await gate.open();
  await lab.ended(job.id);
});

Deno.test("a view that somebody else refreshes by hand is waited for", async () => {
  await using lab = await refreshLab(stack);
  const gate = await lab.closeGate();
  const byHand = lab.admin.unsafe(`refresh materialized view concurrently ${lab.view}`).execute();
  await lab.untilAtGate();
  const job = await lab.start(lab.owner);
  await lab.until(async () => (await refreshing(lab)).length > 0);
  await gate.open();
  await byHand;
  assertEquals((await lab.ended(job.id)).state, "succeeded");
});

Deno.test("the tick starts a refresh of the clock whose message got lost", async () => {
  await using lab = await refreshLab(stack);
  await hurry(lab);
  const [row] = await lab.admin.begin(async (sql) => {
    const rows = await sql<{ id: string }[]>`
      select jobs_private.refresh_on_schedule(${lab.view}) as id`;
    await sql`delete from net.http_request_queue`;
    return rows;
  });
  assertEquals((await lab.ended(row!.id)).state, "succeeded");
  const [tick] = await lab.admin<{ dispatched: boolean }[]>`
    select exists (select from net._http_response where content like '%dispatched%') as dispatched`;
  assertEquals(tick?.dispatched, true, "jobs-tick has answered");
});

Deno.test("pg_cron has the metrics of Certus refreshed, one job at a time", async () => {
  await using lab = await refreshLab(stack);
  await lab
    .admin`update cron.job set schedule = '1 seconds' where jobname = 'longshore-refresh-metrics-daily'`;
  const count = async () => {
    const [row] = await lab.admin<{ runs: number }[]>`
      select count(*)::integer as runs from jobs.refreshes where view = 'certus.mv_metrics_daily' and state = 'succeeded'`;
    return row!.runs;
  };
  await lab.until(async () => await count() >= 2);
  const [failed] = await lab.admin<{ runs: number }[]>`
    select count(*)::integer as runs from cron.job_run_details d join cron.job j using (jobid)
    where j.jobname = 'longshore-refresh-metrics-daily' and d.status = 'failed'`;
  assertEquals(failed?.runs, 0);
  const jobs = await lab.admin<{ state: string; owner_id: string | null; attempt: number }[]>`
    select distinct state, owner_id, attempt from jobs.jobs
    where params ->> 'view' = 'certus.mv_metrics_daily' and finished_at is not null`;
  assertEquals([...jobs], [{ state: "succeeded", owner_id: null, attempt: 1 }]);
});
