/**
 * Exports over several slices and under fire: one snapshot whatever happens meanwhile, the same file whatever dies, no
 * file where the job was cancelled. Some slices run here, so that a test decides what comes between two of them; others in
 * isolates, so that they can be killed.
 */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Stack } from "../../../local/stack.ts";
import { runExport } from "../../../shared/exports/run_export.ts";
import type { Transaction } from "../../../shared/jobs/connect.ts";
import { type Job, runSlice, type RunSliceOptions, type SliceEnd } from "../../../shared/jobs/mod.ts";
import {
  bodyOf,
  type ExportBody,
  type Exporter,
  exporter,
  fileOf,
  readCsv,
  readNdjson,
  readWorkbook,
  sha256,
} from "../../helpers/exports.ts";
import { type Person, service } from "../../helpers/people.ts";
import { makeRestaurants } from "../../helpers/restaurants.ts";
import { ownStack } from "../../helpers/stack.ts";

// The runtime floor cannot run a stack, and what is proved here is not in its hands.
const ignore = !("afterAll" in Deno.test);

const ROWS = 30_000;
const FULL = { cpuMs: 60_000, wallMs: 60_000 };
/** Ends a slice after its first block, which leaves some pieces of a megabyte. */
const TINY = { cpuMs: 0, wallMs: 60_000 };

const DEFAULTS = { first_slice_cpu_ms: 1100, slice_cpu_ms: 1200 };
const HASTY = { first_slice_cpu_ms: 1, slice_cpu_ms: 1 };
const PATIENT = { first_slice_cpu_ms: 60_000, slice_cpu_ms: 60_000 };
/** So many rows of a CSV are more than one part of an upload. */
const MANY = 150_000;

let opened: Promise<Stack> | undefined;
let large: Promise<Exporter> | undefined;

/** A project with many rows on the file's own stack. */
async function openLab(rows = ROWS): Promise<Exporter> {
  const stack = await (opened ??= ownStack());
  Deno.env.set("SUPABASE_URL", stack.url);
  Deno.env.set("SUPABASE_SECRET_KEYS", JSON.stringify({ default: stack.secretKey }));
  const it = await exporter(stack);
  await it.fillMany(rows);
  return it;
}

/** One with more rows, the same for several tests, which change none of them. */
function largeLab(): Promise<Exporter> {
  return large ??= openLab(MANY);
}

if (!ignore) Deno.test.afterAll(async () => await (await large)?.[Symbol.asyncDispose]());

/** A job that no isolate works on: its function is told nothing. */
function enqueue(it: Exporter, body: ExportBody): Promise<string> {
  return enqueueAs(it, it.person, bodyOf(it.projectId, body));
}

async function enqueueAs(it: Exporter, person: Person, params: Record<string, unknown>): Promise<string> {
  await it
    .admin`insert into jobs_private.kinds (kind, function_name) values ('tests_export', 'nobody') on conflict do nothing`;
  const { data } = await person.client.schema("jobs").rpc("enqueue_job", {
    p_function: "export",
    p_kind: "export",
    p_org_id: it.orgId,
    p_params: params,
  }).throwOnError();
  await it.admin`update jobs_private.job_state set function_name = 'nobody' where job_id = ${data.job.id}`;
  return data.job.id;
}

function slice(it: Exporter, jobId: string, options: Partial<RunSliceOptions> = {}): Promise<SliceEnd> {
  const url = (it.stack as Stack).workerUrl;
  return runSlice({ kinds: ["export"], url, jobId, handler: runExport, budget: TINY, ...options });
}

/** Slices to the end, the tiny one first. */
async function finish(it: Exporter, jobId: string): Promise<{ job: Job; slices: number }> {
  let slices = 1;
  for (let end = await slice(it, jobId); end === "continued"; slices++) end = await slice(it, jobId);
  return { job: (await it.follow(jobId)).job, slices };
}

async function keptFor(it: Exporter, jobId: string): Promise<number> {
  const [row] = await it.admin<{ count: number }[]>`
    select count(*)::integer as count from (
      select job_id from jobs_private.export_pieces union all select job_id from jobs_private.export_tails
    ) kept where job_id = ${jobId}`;
  return row!.count;
}

async function until(condition: () => Promise<boolean>, ms = 30_000): Promise<void> {
  for (const deadline = performance.now() + ms; !await condition();) {
    if (performance.now() > deadline) {
      throw new Error("Cannot wait any longer: the condition does not come true");
    }
    await new Promise((go) => setTimeout(go, 10));
  }
}

async function stateOf(it: Exporter, jobId: string): Promise<Job> {
  const [row] = await it.admin<
    { job: Job }[]
  >`select to_jsonb(j) as job from jobs.jobs j where id = ${jobId}`;
  return row!.job;
}

async function makeDue(it: Exporter, jobId: string): Promise<void> {
  await it.admin`update jobs_private.job_state set run_after = now() where job_id = ${jobId}`;
}

async function tick(it: Exporter): Promise<void> {
  const { error } = await service(it.stack).functions.invoke("jobs-tick", { method: "POST" });
  if (error) throw error;
}

/** Waits until a job is reading its rows, or until a later slice writes what the first has kept. */
async function untilIn(it: Exporter, jobId: string, phase: "reading" | "writing"): Promise<void> {
  await until(async () => {
    const [now] = await it.admin<{ state: string; kept: boolean; slices: number }[]>`
      select j.state, s.cursor is not null as kept, s.slices
      from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id where j.id = ${jobId}`;
    assertNotEquals(now!.state, "succeeded", "the test came too late");
    return now!.state === "running" && (phase === "reading" || now!.kept && now!.slices > 1);
  });
}

/** Makes the lease run out and has the tick find it. */
async function loseLease(it: Exporter, jobId: string): Promise<void> {
  await it
    .admin`update jobs_private.job_state set lease_expires_at = now() - interval '1 s' where job_id = ${jobId} and token is not null`;
  await it.admin`select jobs_private.recover_leases()`;
  await makeDue(it, jobId);
}

function test(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

test("runExport() writes in many slices what it writes in one", async (t) => {
  await using it = await openLab();
  for (const format of ["csv", "ndjson", "xlsx"]) {
    await t.step(format, async () => {
      const whole = await it.export({ format });
      const { job, slices } = await finish(it, await enqueue(it, { format }));
      assert(slices > 2, `found ${slices} slices`);
      const [alone, sliced] = [await it.download(whole), await it.download(job)];
      assertEquals(fileOf(job).rows, ROWS);
      assertEquals([fileOf(job).bytes, fileOf(job).sha256], [sliced.length, await sha256(sliced)]);
      if (format === "xlsx") assertEquals(readWorkbook(sliced).rows, readWorkbook(alone).rows);
      else assertEquals(fileOf(job).sha256, fileOf(whole).sha256);
      assertEquals(await keptFor(it, job.id), 0);
      assertEquals((await it.objects(job.id)).length, 1);
    });
  }
});

test("runExport() has the rows of one moment, whatever is written while it goes on", async () => {
  await using it = await openLab(30_000);
  const jobId = await enqueue(it, { format: "csv", columns: ["tag", "area"] });
  assertEquals(await slice(it, jobId), "continued");
  assert(await keptFor(it, jobId) > 0);
  await it.fill([{ tag: "T-0000000" }, { tag: "Z" }]);
  await it.admin`update pipetrak.components set area = 'LATE' where project_id = ${it.projectId}`;
  await it.admin`delete from pipetrak.components where project_id = ${it.projectId} and tag > 'T-0020000'`;
  const { job } = await finish(it, jobId);
  const rows = readCsv(await it.download(job)).slice(1);
  assertEquals(rows.length, 30_000);
  assertEquals([rows[0]![0], rows.at(-1)![0]], ["T-0000001", "T-0030000"]);
  assert(rows.every(([, area]) => area !== "LATE"));
});

test("runExport() has the rows of one moment also while the first slice is reading", async () => {
  await using it = await openLab();
  const jobId = await enqueue(it, { format: "ndjson", columns: ["tag", "area"] });
  const done = slice(it, jobId, { budget: FULL });
  await until(async () => {
    const [row] = await it
      .admin`select 1 from pg_stat_activity where query like '%fetch_export%' and application_name like 'longshore-%'`;
    return row !== undefined;
  });
  await it.admin`update pipetrak.components set area = 'LATE' where project_id = ${it.projectId}`;
  assertEquals(await done, "done");
  const areas = new Set(
    readNdjson(await it.download((await it.follow(jobId)).job)).map(({ area }) => area === "LATE"),
  );
  assertEquals(areas.size, 1);
});

test("runExport() goes on from the last checkpoint where a slice has died behind it", async (t) => {
  const cases = [["csv", await largeLab(), 9], ["xlsx", await openLab(), 3]] as const;
  for (const [format, it, lastStep] of cases) {
    await t.step(format, async () => {
      const whole = await it.export({ format });
      const jobId = await enqueue(it, { format });
      assertEquals(await slice(it, jobId), "continued");
      // A slice that sends what it has and dies before it says so.
      let steps = 0;
      const dying = await slice(it, jobId, {
        budget: FULL,
        handler: (slice) =>
          runExport({
            ...slice,
            progress: (report) => {
              if (++steps === lastStep) throw new Error("It dies here");
              return slice.progress(report);
            },
          }),
      });
      assertEquals(dying, "retried");
      await makeDue(it, jobId);
      const { job } = await finish(it, jobId);
      const bytes = await it.download(job);
      assertEquals([job.attempt, fileOf(job).sha256], [2, await sha256(bytes)]);
      if (format === "csv") assertEquals(fileOf(job).sha256, fileOf(whole).sha256);
      else assertEquals(readWorkbook(bytes).rows, readWorkbook(await it.download(whole)).rows);
    });
  }
  await cases[1][1][Symbol.asyncDispose]();
});

test("runExport() starts over where Storage has forgotten what it was sent", async () => {
  const it = await largeLab();
  const jobId = await enqueue(it, {});
  const uploadOf = async () => {
    const [row] = await it.admin<{ id: string | null }[]>`
      select cursor -> 'file' -> 'upload' ->> 'id' as id from jobs_private.job_state where job_id = ${jobId}`;
    return row!.id;
  };
  do assertEquals(await slice(it, jobId), "continued"); while (await uploadOf() === null);
  const gone = await fetch(`${it.stack.url}/storage/v1/upload/resumable/${await uploadOf()}`, {
    method: "DELETE",
    headers: {
      apikey: it.stack.secretKey,
      authorization: `Bearer ${it.stack.secretKey}`,
      "tus-resumable": "1.0.0",
      "x-upsert": "true",
    },
  });
  assertEquals(gone.status, 204);
  assertEquals(await slice(it, jobId, { budget: FULL }), "retried");
  await makeDue(it, jobId);
  assertEquals(await slice(it, jobId, { budget: FULL }), "done");
  const { job } = await it.follow(jobId);
  assertEquals([fileOf(job).rows, fileOf(job).sha256], [MANY, await sha256(await it.download(job))]);
});

test("runExport() gets over an isolate that is killed in the middle", async (t) => {
  const it = await largeLab();
  const whole = await it.export();
  const control = (it.stack as Stack).functionsControl;
  for (const phase of ["reading", "writing"] as const) {
    await t.step(phase, async () => {
      // Where the first slice hands on at once, each of the next writes one piece.
      await it.set(phase === "writing" ? HASTY : PATIENT);
      const jobId = (await it.start()).body.job.id;
      await untilIn(it, jobId, phase);
      await control.kill("export");
      assertEquals(await it.objects(jobId), []);
      await it.set(DEFAULTS);
      await loseLease(it, jobId);
      await it.admin`select jobs_private.nudge(${jobId})`;
      const { job } = await it.follow(jobId);
      assertEquals([fileOf(job).rows, fileOf(job).sha256], [MANY, fileOf(whole).sha256]);
      assertEquals(fileOf(job).sha256, await sha256(await it.download(job)));
      assertEquals(await keptFor(it, jobId), 0);
    });
  }
});

test("cancel_job ends an export within a second and leaves no file", async (t) => {
  const it = await largeLab();
  for (const phase of ["reading", "writing"] as const) {
    await t.step(phase, async () => {
      await it.set(phase === "writing" ? { ...PATIENT, first_slice_cpu_ms: 1 } : PATIENT);
      const jobId = (await it.start({ format: "xlsx" })).body.job.id;
      await untilIn(it, jobId, phase);
      await it.person.client.schema("jobs").rpc("cancel_job", { job_id: jobId }).throwOnError();
      const from = performance.now();
      await until(async () => {
        const rows = await it.admin`
          select from pg_stat_activity where usename = 'longshore_worker' and state <> 'idle'`;
        return rows.length === 0;
      });
      const took = performance.now() - from;
      assert(took < 1500, `it took ${took} ms`);
      const { state } = await stateOf(it, jobId);
      assertEquals([state, await keptFor(it, jobId), await it.objects(jobId)], ["cancelled", 0, []]);
      await it.set(DEFAULTS);
      // Tried again, it has the rows of then.
      await it.person.client.schema("jobs").rpc("retry_job", { job_id: jobId }).throwOnError();
      await it.admin`select jobs_private.nudge(${jobId})`;
      assertEquals(fileOf((await it.follow(jobId)).job).rows, MANY);
    });
  }
});

test("An export that was cancelled as its file came into being leaves none", async () => {
  await using it = await openLab(10);
  const jobId = await enqueue(it, {});
  const cancel = () => it.person.client.schema("jobs").rpc("cancel_job", { job_id: jobId }).throwOnError();
  const end = await slice(it, jobId, {
    // The file is there, and the job is cancelled before its end is noted.
    handler: async (slice) => {
      const outcome = await runExport(slice);
      await cancel();
      return outcome;
    },
  });
  assertEquals(end, "cancelled");
  await tick(it);
  await until(async () => (await it.objects(jobId)).length === 0);
});

test("runExport() keeps its file from a slice that has lost the lease and writes all the same", async () => {
  await using it = await openLab(10);
  const jobId = await enqueue(it, { format: "ndjson", columns: ["tag"] });
  const read = Promise.withResolvers<void>();
  const later = Promise.withResolvers<void>();
  // It has read its rows; what it sends to Storage arrives after another slice has done the job, and nothing stops it.
  const stale = slice(it, jobId, {
    budget: FULL,
    handler: (slice) => {
      const begin = async (run: (transaction: Transaction) => Promise<unknown>) => {
        const value = await slice.sql.begin(run);
        read.resolve();
        await later.promise;
        return value;
      };
      const sql = new Proxy(slice.sql, {
        get: (sql, key) => key === "begin" ? begin : Reflect.get(sql, key),
      });
      return runExport({ ...slice, sql, signal: new AbortController().signal });
    },
  });
  await read.promise;
  await it.fill([{ tag: "Z" }]);
  await loseLease(it, jobId);
  assertEquals(await slice(it, jobId, { budget: FULL }), "done");
  later.resolve();
  assertEquals(await stale, "lost");
  const { job } = await it.follow(jobId);
  const bytes = await it.download(job);
  assertEquals([fileOf(job).rows, readNdjson(bytes).length, fileOf(job).sha256], [
    11,
    11,
    await sha256(bytes),
  ]);
  assertEquals(await it.objects(jobId), [fileOf(job).path]);
});

test("runExport() stops where the right to read is withdrawn between two slices", async () => {
  await using it = await openLab(20_000);
  const jobId = await enqueue(it, {});
  assertEquals(await slice(it, jobId), "continued");
  await it.admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`delete from public.memberships where user_id = ${it.person.userId}`;
  });
  assertEquals(await slice(it, jobId), "failed");
  const job = await stateOf(it, jobId);
  assertEquals([job.state, job.error?.code, await keptFor(it, jobId), await it.objects(jobId)], [
    "failed",
    "not_allowed",
    0,
    [],
  ]);
});

test("runExport() refuses a file that is larger than the settings allow", async () => {
  await using it = await openLab(20_000);
  await it.set({ export_bytes: 1_000_000 });
  try {
    for (const budget of [TINY, FULL]) {
      const jobId = await enqueue(it, {});
      assertEquals(await slice(it, jobId, { budget }), "failed");
      const job = await stateOf(it, jobId);
      assertEquals([job.error?.code, job.error?.details], ["file_too_large", { limit: 1_000_000 }]);
      assertEquals(await it.objects(jobId), []);
    }
  } finally {
    await it.set({ export_bytes: 500_000_000 });
  }
});

test("runExport() ends at once with a file that Storage does not take for its size", async () => {
  await using it = await openLab(100_000);
  await it.admin`update storage.buckets set file_size_limit = 7000000 where id = 'exports'`;
  try {
    const jobId = await enqueue(it, {});
    assertEquals(await slice(it, jobId, { budget: FULL }), "failed");
    const job = await stateOf(it, jobId);
    assertEquals([job.attempt, job.error?.code], [1, "file_too_large"]);
    assertEquals(await it.objects(jobId), []);
  } finally {
    await it.admin`update storage.buckets set file_size_limit = 500 * 1024 * 1024 where id = 'exports'`;
  }
});

test("runExport() does not go on with rows that were read with other rights", async (t) => {
  await using it = await openLab(1);
  const { accountId, locationIds, addOperator } = await makeRestaurants(it.person.client, it.orgId);
  await it.admin`
    insert into certus_private.call_logs (account_id, location_id, external_id, started_at, caller_phone)
    select ${accountId}, l, n || l::text, now(), '+447700900123'
    from generate_series(1, 1000) n, unnest(${Object.values(locationIds)}::uuid[]) l`;
  const person = await addOperator(it.stack, ["SOHO", "MAYFAIR"]);
  const mine = it.admin`account_id = ${accountId} and user_id = ${person.userId}`;
  const setRole = (role: string) => it.admin`update certus.account_members set role = ${role} where ${mine}`;
  const params = { report: "certus.calls", format: "ndjson", filters: { account_id: accountId } };
  const cases: Record<
    string,
    [before: () => Promise<unknown>, between: () => Promise<unknown>, goesOn: boolean]
  > = {
    "an admin who stays one": [() => setRole("admin"), () => Promise.resolve(), true],
    "an admin who becomes an operator": [() => setRole("admin"), () => setRole("operator"), false],
    "an operator who stays one": [() => setRole("operator"), () => Promise.resolve(), true],
    "an operator who loses a location": [
      () => setRole("operator"),
      () => it.admin`delete from certus.member_locations where ${mine} and location_id = ${locationIds.SOHO}`,
      false,
    ],
  };
  for (const [name, [before, between, goesOn]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await before();
      const jobId = await enqueueAs(it, person, params);
      assertEquals(await slice(it, jobId), "continued");
      await between();
      assertEquals(await slice(it, jobId, { budget: FULL }), goesOn ? "done" : "failed");
      const { state, error } = await stateOf(it, jobId);
      assertEquals([state, error?.code], goesOn ? ["succeeded", undefined] : ["failed", "not_allowed"]);
      assertEquals([(await it.objects(jobId)).length, await keptFor(it, jobId)], [goesOn ? 1 : 0, 0]);
    });
  }
});

test("The files of exports go after their time", async () => {
  await using it = await openLab(10);
  const job = await it.export();
  const [state] = await it.admin`
    select files_until - j.finished_at = interval '7 days' as week from jobs_private.job_state s
    join jobs.jobs j on j.id = s.job_id where job_id = ${job.id}`;
  assertEquals(state, { week: true });
  await it.admin`update jobs_private.job_state set files_until = now() where job_id = ${job.id}`;
  await tick(it);
  await until(async () => (await it.objects(job.id)).length === 0);
  await assertRejects(() => it.download(job));
});
