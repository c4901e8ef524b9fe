/**
 * The engine with real isolates: a job that goes from slice to slice through the database's nudges, is followed over
 * Realtime, and is found again when its isolate is killed.
 */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Job } from "../../shared/jobs/mod.ts";
import { type JobMaker, jobMaker } from "../helpers/jobs.ts";
import { ownStack } from "../helpers/stack.ts";

const configPath = fromFileUrl(new URL("../jobs.config.toml", import.meta.url));
const stack = await ownStack({ configPath });

async function start(maker: JobMaker, params: { to: number; pause_ms: number }): Promise<string> {
  const response = await fetch(`${stack.url}/functions/v1/export`, {
    method: "POST",
    headers: { authorization: `Bearer ${maker.person.accessToken}`, apikey: stack.publishableKey },
    body: JSON.stringify({ org_id: maker.orgId, ...params }),
  });
  const body = await response.json();
  assertEquals(response.status, 202, JSON.stringify(body));
  return body.job.id;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!await condition()) {
    if (performance.now() > deadline) {
      throw new Error("Cannot wait any longer: the condition does not come true");
    }
    await new Promise((go) => setTimeout(go, 50));
  }
}

async function rowsOf(maker: JobMaker, id: string): Promise<number[]> {
  const rows = await maker.admin<
    { row: number }[]
  >`select row from tests_jobs.rows where job_id = ${id} order by row`;
  return rows.map(({ row }) => row);
}

Deno.test("a job goes from slice to slice and tells its owner how far it is", async () => {
  await using maker = await jobMaker(stack);
  const { client } = maker.person;
  const id = await start(maker, { to: 6, pause_ms: 100 });
  const seen: Job[] = [];
  const channel = client.channel(`job:${id}`, { config: { private: true } });
  channel.on("broadcast", { event: "progress" }, ({ payload }) => seen.push(payload as Job)).subscribe();
  await until(() => Promise.resolve(seen.at(-1)?.state === "succeeded"));
  await client.removeAllChannels();
  await client.realtime.disconnect();

  assertEquals(await rowsOf(maker, id), [1, 2, 3, 4, 5, 6]);
  const job = await maker.job(id);
  assertEquals([job.state, job.attempt, job.progress.percent], ["succeeded", 1, 100]);
  const versions = seen.map(({ version }) => version);
  assertEquals(versions, versions.toSorted((a, b) => a - b));
  assertEquals(seen.at(-1)?.version, job.version);
  const [state] = await maker.admin`select slices from jobs_private.job_state where job_id = ${id}`;
  assertEquals(state?.slices, 6);
});

Deno.test("a job whose isolate is killed goes on from its cursor", async () => {
  await using maker = await jobMaker(stack);
  await maker.admin`update jobs.settings set lease_seconds = 2, heartbeat_seconds = 1, backoff_seconds = 1`;
  await maker.admin`update cron.job set schedule = '1 seconds' where jobname = 'longshore-tick'`;
  const id = await start(maker, { to: 4, pause_ms: 700 });
  await until(async () => (await rowsOf(maker, id)).length === 2);
  stack.functionsControl.kill("export");
  await until(async () => (await maker.job(id)).finished_at !== null);
  const job = await maker.job(id);
  assertEquals([job.state, job.attempt], ["succeeded", 2]);
  assertEquals(await rowsOf(maker, id), [1, 2, 3, 4]);
});
