/**
 * What the refresh of a view costs, and whom: how long it takes over a year of calls, as a job from the POST to its end,
 * and what people who read the metrics meanwhile notice, beside the plain refresh that makes them wait.
 */
import type { Bench, BenchOptions, Table } from "../bench.ts";
import { addCalls } from "../certus/make_logs.ts";
import { Timings } from "../timings.ts";
import { type MetricsSite, openMetricsSite } from "./open_metrics_site.ts";
import { readWhile } from "./read_while.ts";

export const refreshMetrics: Bench = {
  name: "refresh",
  title: "The metrics by day, refreshed while they are read",
  run,
};

const VIEW = "certus.mv_metrics_daily";
const CALLS_A_ROW = 5;
const LOCATIONS = 200;
const NEW_CALLS = 1000;
const IDLE_MS = 3000;

const JOB = "POST to the job's end";
const REFRESH = "of that, refresh concurrently";
const IDLE = "tiles of 90 days, idle";
const MEANWHILE = "tiles during the refresh";
const BUSY = "tiles beside the same query as a plain select";
const PLAIN = "plain refresh";
const PLAIN_MEANWHILE = "tiles during a plain refresh";

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const calls = rows * CALLS_A_ROW;
  await using site = await openMetricsSite({ calls, locations: LOCATIONS });
  const timings = new Timings();
  await site.refresh(VIEW);
  let waits = 0;
  for (let round = 0; round < rounds; round++) {
    await addCalls(site.admin, { orgId: site.orgId, calls: NEW_CALLS, days: 1 });
    await measureIdle(site, timings);
    waits += await measureJob(site, timings);
    await measurePlain(site, timings);
  }
  const size = await sizeOf(site);
  const row = (step: string) => [
    step,
    timings.quantile(step).toFixed(0),
    timings.quantile(step, 0.95).toFixed(0),
    Math.max(...timings.all(step)).toFixed(0),
    String(timings.all(step).length),
  ];
  return {
    title: `${refreshMetrics.title}: ${calls.toLocaleString("en-US")} calls, ${LOCATIONS} locations, ${size}`,
    headings: ["what", "median ms", "95 % ms", "most ms", "times"],
    rows: [
      row(JOB),
      row(REFRESH),
      row(IDLE),
      row(BUSY),
      row(MEANWHILE),
      row(PLAIN),
      row(PLAIN_MEANWHILE),
    ],
    notes: [
      `${
        NEW_CALLS.toLocaleString("en-US")
      } new calls before each refresh. Tiles: 90 days of 20 locations through PostgREST as their owner.`,
      `Readers that were seen to wait for a lock during the concurrent refreshes: ${waits}. Locks on the view then: ${
        locksOf(site)
      }.`,
      "What a tile takes longer during a refresh is the processor's: the same query as a plain select slows it alike.",
    ],
  };
}

async function measureIdle(site: MetricsSite, timings: Timings): Promise<void> {
  const end = performance.now() + IDLE_MS;
  for (const ms of await readWhile(site, () => performance.now() < end)) timings.add(IDLE, ms);
}

/** The job with readers beside it; says how often one of them waited for a lock. */
async function measureJob(site: MetricsSite, timings: Timings): Promise<number> {
  const waiting = site.watchLocks();
  let done = false;
  const job = timings.time(JOB, () => site.refresh(VIEW)).finally(() => done = true);
  for (const ms of await readWhile(site, () => !done)) timings.add(MEANWHILE, ms);
  timings.add(REFRESH, (await job).duration_ms);
  return await waiting.stop();
}

async function measurePlain(site: MetricsSite, timings: Timings): Promise<void> {
  let done = false;
  const query = `select count(*) from (${await site.definition(VIEW)}) q`;
  const select = site.admin.unsafe(query).then(() => done = true);
  for (const ms of await readWhile(site, () => !done)) timings.add(BUSY, ms);
  await select;
  done = false;
  const plain = timings.time(PLAIN, () => site.admin.unsafe(`refresh materialized view ${VIEW}`))
    .finally(() => done = true);
  for (const ms of await readWhile(site, () => !done)) timings.add(PLAIN_MEANWHILE, ms);
  await plain;
}

async function sizeOf({ admin }: MetricsSite): Promise<string> {
  const [row] = await admin<{ rows: number; size: string }[]>`
    select count(*)::integer as rows, pg_size_pretty(pg_total_relation_size(${VIEW}::regclass)) as size
    from certus.mv_metrics_daily`;
  return `${row!.rows.toLocaleString("en-US")} rows of ${row!.size}`;
}

function locksOf({ locks }: MetricsSite): string {
  return [...locks].sort().join(", ") || "none";
}
