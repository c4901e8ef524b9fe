/**
 * Imports under fire: the same imports as undisturbed ones, while their processes are killed, put to sleep and woken up,
 * their connections cut, their limits reached, their messages lost. Every round has a seed of its own and can be played
 * again:
 *   LONGSHORE_SEED=n      the seed of the first round; the others count up. @default random
 *   LONGSHORE_ROUNDS=n    how many rounds. @default 7, one of each scenario
 *   LONGSHORE_ROWS=n      rows of each file. @default 1200
 */
import { assertEquals } from "@std/assert";
import type { Stack } from "../../../local/stack.ts";
import type { Job } from "../../../shared/jobs/mod.ts";
import { type FaultName, faults, injector, type PlannedFault, prepareFaults } from "../../helpers/faults.ts";
import {
  delay,
  follow,
  type ImportLab,
  importLab,
  type Run,
  runImport,
  send,
  tick,
} from "../../helpers/import_lab.ts";
import { type Scenario, type ScenarioData, scenarioData, scenarios } from "../../helpers/import_scenarios.ts";
import { type Random, seededRandom } from "../../helpers/random.ts";
import { ownStack } from "../../helpers/stack.ts";

const ROWS = numberOf("LONGSHORE_ROWS") ?? 1200;
const ROUNDS = numberOf("LONGSHORE_ROUNDS") ?? scenarios.length;
const FIRST_SEED = numberOf("LONGSHORE_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000;
const VERBOSE = Deno.env.has("LONGSHORE_VERBOSE");
const FAULTS = Object.keys(faults) as FaultName[];

/** Small chunks, so that there are many moments, and short waits. */
const SETTINGS = {
  chunk_rows: 100,
  progress_interval_ms: 50,
  lease_seconds: 3,
  heartbeat_seconds: 1,
  nudge_seconds: 1,
  backoff_seconds: 1,
  backoff_max_seconds: 1,
};
const FULL_SLICES = {
  slice_cpu_ms: 1200,
  slice_wall_ms: 60000,
  first_slice_cpu_ms: 1100,
  first_slice_wall_ms: 20000,
};

// The runtime floor cannot run a stack, and what is proved here is not in its hands.
const ignore = !("afterAll" in Deno.test);

let stack: Promise<Stack> | undefined;

/** A person of the test's own on the file's stack, with small chunks. */
async function openLab(): Promise<ImportLab> {
  const lab = await importLab(await (stack ??= ownStack()));
  await prepareFaults(lab);
  await lab.admin`update jobs.settings set ${lab.admin({ ...SETTINGS, ...FULL_SLICES })}`;
  return lab;
}

Deno.test({
  name: "POST import and import-commit change nothing when they are sent again, however often",
  ignore,
  async fn() {
    await using lab = await openLab();
    const scenario = scenarios[0]!;
    const run = await runImport(lab, { scenario, data: await scenarioData(scenario, 400) });
    const before = await runsOf(lab);
    for (const request of [...run.requests, ...run.requests]) {
      const answers = await Promise.all([send(lab, request), send(lab, request), send(lab, request)]);
      const id = run.jobs[request.function === "import" ? "check" : "commit"];
      for (const { status, body } of answers) assertEquals([status, (body.job as Job).id], [202, id]);
    }
    const [, commit] = run.requests;
    const other = await send(lab, { ...commit!, body: { ...commit!.body, policy: "all_or_nothing" } });
    assertEquals([other.status, other.body.code], [409, "idempotency_conflict"]);
    const second = await send(lab, { ...commit!, key: crypto.randomUUID() });
    assertEquals([second.status, second.body.code], [409, "already_committed"]);
    assertEquals((second.body.details as { job_id: string }).job_id, run.jobs.commit);
    await tick(lab);
    await assertNothingLeft(lab);
    assertEquals(await runsOf(lab), before);
    assertSame(await run.look(), run.sight);
  },
});

Deno.test({
  name: "POST import makes one job of requests with one key that come at once, and runs it once",
  ignore,
  async fn() {
    await using lab = await openLab();
    const scenario = scenarios[2]!;
    const data = await scenarioData(scenario, 400);
    const first = await runImport(lab, { scenario, data });
    const request = { ...first.requests[0]!, key: crypto.randomUUID() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(lab, request)));
    assertEquals(answers.map(({ status }) => status), [202, 202, 202, 202, 202]);
    const jobs = answers.map(({ body }) => body.job as Job);
    assertEquals(new Set(jobs.map(({ id }) => id)).size, 1);
    const { job } = await follow(lab, jobs[0]!);
    assertEquals([job.state, job.attempt], ["succeeded", 1]);
    await assertNothingLeft(lab);
    assertEquals((await runsOf(lab)).length, 3);
  },
});

Deno.test({
  name: "POST import-commit lets one of two at once win",
  ignore,
  async fn() {
    await using lab = await openLab();
    const scenario = scenarios[1]!;
    const data = await scenarioData(scenario, 400);
    const alone = await runImport(lab, { scenario, data });
    const { run, others } = await runImportWithRival(lab, { scenario, data });
    assertEquals(others.map(({ status }) => status).toSorted(), [202, 409, 409]);
    for (const { status, body } of others) {
      if (status === 202) continue;
      assertEquals([body.code, body.details], [
        "already_committed",
        { job_id: run.jobs.commit, request_id: (body.details as { request_id: string }).request_id },
      ]);
    }
    assertSame(run.sight, alone.sight);
    await assertNothingLeft(lab);
  },
});

Deno.test({
  name: "runImportCheck() and runImportCommit() end with the same rows and counts whatever goes wrong",
  ignore,
  async fn(t) {
    await using lab = await openLab();
    const undisturbed = new Map<Scenario, Promise<{ run: Run; data: ScenarioData }>>();

    for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
      const scenario = scenarios[seed % scenarios.length]!;
      await t.step(`${scenario.name} (LONGSHORE_SEED=${seed} LONGSHORE_ROUNDS=1)`, async () => {
        if (!undisturbed.has(scenario)) undisturbed.set(scenario, runUndisturbed(lab, scenario));
        const { run, data } = await undisturbed.get(scenario)!;
        await playRound(lab, { scenario, data, expected: run, random: seededRandom(seed) });
      });
    }
  },
});

/** Every job of the lab with its slices: what has been run. */
async function runsOf({ admin, orgId }: ImportLab): Promise<readonly unknown[]> {
  return await admin`
    select j.id, j.state, j.attempt, j.version, s.slices from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id
    where j.org_id = ${orgId} order by j.created_at`;
}

/** An import whose commit is asked for by three requests at once. */
async function runImportWithRival(lab: ImportLab, what: { scenario: Scenario; data: ScenarioData }) {
  const others: Awaited<ReturnType<typeof send>>[] = [];
  const run = await runImport(lab, what, {
    async startCommit(request) {
      const keys = [request.key, crypto.randomUUID(), crypto.randomUUID()];
      others.push(...await Promise.all(keys.map((key) => send(lab, { ...request, key }))));
      const won = others.find(({ status }) => status === 202);
      return won?.body.job as Job;
    },
  });
  return { run, others };
}

async function runUndisturbed(lab: ImportLab, scenario: Scenario): Promise<{ run: Run; data: ScenarioData }> {
  const data = await scenarioData(scenario, ROWS);
  await setSlices(lab, FULL_SLICES);
  const run = await runImport(lab, { scenario, data });
  await assertNothingLeft(lab);
  // What everything else is compared with must itself be true: every valid row has its place in the promise.
  const { valid, would } = run.sight.check as { valid: number; would: Record<string, number> };
  assertEquals(Object.values(would).reduce((sum, rows) => sum + rows), valid);
  return { run, data };
}

interface Round {
  scenario: Scenario;
  data: ScenarioData;
  expected: Run;
  random: Random;
}

async function playRound(lab: ImportLab, { scenario, data, expected, random }: Round): Promise<void> {
  const plan = planFaults(random, expected);
  const done: string[] = [];
  try {
    await setSlices(lab, random.chance(0.3) ? tinySlices(random) : FULL_SLICES);
    const run = await runImport(lab, { scenario, data }, {
      onStep: {
        check: injector(lab, { plan: plan.check, name: "import", random, done }),
        commit: injector(lab, { plan: plan.commit, name: "import-commit", random, done }),
      },
    });
    if (VERBOSE) console.log(done.join("\n"), JSON.stringify(run.attempts));
    assertSame(run.sight, expected.sight);
    await assertNothingLeft(lab);
  } catch (error) {
    throw new Error(`It went wrong after\n  ${done.join("\n  ") || "nothing"}`, { cause: error });
  }
}

/** One to four faults, each somewhere in one of the two jobs. */
function planFaults(random: Random, { steps }: Run): { check: PlannedFault[]; commit: PlannedFault[] } {
  const plan = { check: [] as PlannedFault[], commit: [] as PlannedFault[] };
  for (let count = random.int(1, 5); count > 0; count--) {
    const phase = random.pick(["check", "commit"] as const);
    // Where a job makes few steps, it works longer on each.
    const delayMs = random.int(0, steps[phase] < 8 ? 400 : 60);
    plan[phase].push({ name: random.pick(FAULTS), atStep: random.int(1, steps[phase] + 1), delayMs });
  }
  return plan;
}

function tinySlices(random: Random): typeof FULL_SLICES {
  const cpu = random.pick([1, 10, 40]);
  const wall = random.pick([1, 50, 200, 60000]);
  return { slice_cpu_ms: cpu, first_slice_cpu_ms: cpu, slice_wall_ms: wall, first_slice_wall_ms: wall };
}

async function setSlices({ admin }: ImportLab, slices: typeof FULL_SLICES): Promise<void> {
  await admin`update jobs.settings set ${admin(slices)}`;
}

/** Compares part by part: a difference in thousands of rows is told by its first rows. */
function assertSame(actual: Run["sight"], expected: Run["sight"]): void {
  for (const part of Object.keys(expected) as (keyof Run["sight"])[]) {
    if (JSON.stringify(actual[part]) === JSON.stringify(expected[part])) continue;
    const [found, wanted] = [actual[part], expected[part]].map((value) =>
      Array.isArray(value) ? value : typeof value === "string" ? value.split("\n") : [value]
    ) as [unknown[], unknown[]];
    const at = wanted.findIndex((value, n) => JSON.stringify(value) !== JSON.stringify(found[n]));
    const from = at < 0 ? wanted.length : at;
    assertEquals(
      { part, length: found.length, from, values: found.slice(from, from + 3) },
      { part, length: wanted.length, from, values: wanted.slice(from, from + 3) },
    );
  }
}

/** No job at work, no lease held, no transaction prepared, soon no session of a slice, and no isolate that fell over. */
async function assertNothingLeft({ admin, stack }: ImportLab): Promise<void> {
  assertEquals(stack.functionsControl.exits.filter(({ reason }) => reason === "crashed"), []);
  let left: readonly unknown[] = [];
  for (const deadline = performance.now() + 15_000; performance.now() < deadline; await delay(20)) {
    left = await admin`
      select 'job' as what, id::text as which from jobs.jobs where state in ('queued', 'running')
      union all
      select 'lease', job_id::text from jobs_private.job_state where token is not null
      union all
      select 'session', concat_ws(' ', application_name, state, left(query, 80)) from pg_stat_activity
      where usename = 'longshore_worker'
      union all
      select 'prepared transaction', gid from pg_prepared_xacts`;
    if (left.length === 0) return;
  }
  assertEquals(left, []);
}

function numberOf(name: string): number | undefined {
  const value = Deno.env.get(name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`Cannot use ${name}: found "${value}", expected a whole number`);
}
