import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { LongshoreError } from "../../../shared/errors.ts";
import { runSlice, type RunSliceOptions, type Slice, type SliceHandler } from "../../../shared/jobs/mod.ts";
import { type JobMaker, jobMaker, TEST_KIND } from "../../helpers/jobs.ts";
import { testStack } from "../../helpers/stack.ts";

const stack = await testStack();

function slice(jobId: string, handler: SliceHandler, options: Partial<RunSliceOptions> = {}) {
  return runSlice({ url: stack.workerUrl, kinds: [TEST_KIND], jobId, handler, ...options });
}

/** Writes the next rows up to `last` as the owner, together with the cursor. */
async function writeRows({ job, cursor, asOwner }: Slice, last: number): Promise<void> {
  const { row } = (cursor ?? { row: 0 }) as { row: number };
  await asOwner(
    (sql) =>
      sql`insert into tests_jobs.rows select ${job.id}, n from generate_series(${
        row + 1
      }::int, ${last}::int) n`,
    { cursor: { row: last } },
  );
}

async function rowsOf({ admin }: JobMaker, jobId: string): Promise<number[]> {
  const rows = await admin<
    { row: number }[]
  >`select row from tests_jobs.rows where job_id = ${jobId} order by row`;
  return rows.map(({ row }) => row);
}

Deno.test("runSlice() goes on from the cursor of the last slice and finishes the job", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const first = await slice(id, async (s) => {
    await writeRows(s, 3);
    s.progress({ phase: "writing", done: 3, total: 6 });
    return { outcome: "continue" };
  });
  assertEquals(first, "continued");
  const between = await maker.job(id);
  assertEquals([between.state, between.attempt, between.progress.percent], ["queued", 1, 50]);

  const second = await slice(id, async (s) => {
    await writeRows(s, 6);
    s.progress({ phase: "writing", done: 6, total: 6 });
    return { outcome: "done", result: { rows: 6 } };
  });
  assertEquals(second, "done");
  const job = await maker.job(id);
  assertEquals([job.state, job.attempt, job.result, job.progress.percent], [
    "succeeded",
    1,
    { rows: 6 },
    100,
  ]);
  assertEquals(await rowsOf(maker, id), [1, 2, 3, 4, 5, 6]);
});

Deno.test("runSlice() shows the last progress soon, though it came too soon after the one before", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const end = await slice(id, async (s) => {
    s.progress({ phase: "reading", done: 6, total: 6 });
    // Shown, and so recent that what the next transaction brings along is kept back.
    while ((await maker.job(id)).progress.phase !== "reading");
    s.progress({ phase: "writing", done: 0, total: 6 });
    await writeRows(s, 6);
    const deadline = performance.now() + 5000;
    while ((await maker.job(id)).progress.phase !== "writing") {
      if (performance.now() > deadline) throw new LongshoreError("expired", "The progress was not shown");
    }
    return { outcome: "done", result: {} };
  });
  assertEquals(end, "done");
});

Deno.test("runSlice() tidies up when the job has ended, in the same session, whatever comes of it", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  let seen: unknown = null;
  const end = await slice(id, (s) =>
    Promise.resolve({
      outcome: "done",
      result: {},
      async afterwards() {
        seen = [(await maker.job(id)).state, ...await s.sql`select current_user as who`];
        throw new Error("It could not be done");
      },
    }));
  assertEquals([end, seen], ["done", ["succeeded", { who: "longshore_worker" }]]);
});

Deno.test("runSlice() writes as the job's owner", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  await slice(id, async (s) => {
    const [row] = await s.asOwner((sql) => sql`select current_user, session_user, auth.uid(), auth.role()`);
    return { outcome: "done", result: { ...row } };
  });
  assertEquals((await maker.job(id)).result, {
    current_user: "authenticated",
    session_user: "longshore_worker",
    uid: maker.person.userId,
    role: "authenticated",
  });
});

Deno.test("runSlice() gives one of many claimers the job", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const handler: SliceHandler = async (s) => {
    await writeRows(s, 1);
    return { outcome: "done", result: {} };
  };
  const ends = await Promise.all(Array.from({ length: 6 }, () => slice(id, handler)));
  assertEquals(ends.toSorted(), ["done", "idle", "idle", "idle", "idle", "idle"]);
  assertEquals(await rowsOf(maker, id), [1]);
});

Deno.test("runSlice() ends a long statement when the job is cancelled", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  let aborted = false;
  const end = await slice(id, async (s) => {
    s.signal.addEventListener("abort", () => aborted = true);
    await maker.person.client.schema("jobs").rpc("cancel_job", { job_id: id }).throwOnError();
    await s.asOwner(async (sql) => {
      await sql`insert into tests_jobs.rows values (${id}, 1)`;
      await sql`select pg_sleep(60)`;
    }, { cursor: { row: 1 } });
    return { outcome: "done", result: {} };
  }, { graceMs: 10 });
  assertEquals(end, "cancelled");
  assert(aborted);
  assertEquals((await maker.job(id)).state, "cancelled");
  assertEquals(await rowsOf(maker, id), []);
});

Deno.test("runSlice() commits nothing once its lease is lost", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const end = await slice(id, async (s) => {
    await maker.loseLease(id);
    await writeRows(s, 3);
    return { outcome: "done", result: {} };
  });
  assertEquals(end, "lost");
  assertEquals(await rowsOf(maker, id), []);
  const job = await maker.job(id);
  assertEquals([job.state, job.attempt], ["queued", 1]);
});

Deno.test("runSlice() neither loses nor doubles a row when a process is killed", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const script = fromFileUrl(new URL("../../fixtures/jobs/slice_process.ts", import.meta.url));
  const config = fromFileUrl(new URL("../../../deno.json", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--config", config, script, stack.workerUrl, id],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (output.includes("waiting")) child.kill("SIGKILL");
  }
  await child.status;
  assertEquals(await rowsOf(maker, id), [1, 2, 3, 4, 5]);

  await maker.loseLease(id);
  const end = await slice(id, async (s) => {
    assertEquals(s.cursor, { row: 5 });
    await writeRows(s, 8);
    return { outcome: "done", result: {} };
  });
  assertEquals(end, "done");
  assertEquals(await rowsOf(maker, id), [1, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals((await maker.job(id)).attempt, 2);
});

Deno.test("runSlice() ends the session of the slice that had the job before", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const ends: string[] = [];
  const end = await slice(id, async (s) => {
    const sleeping = s.sql`select pg_sleep(60)`.then(() => "slept", () => "ended");
    await maker.loseLease(id);
    ends.push(await slice(id, () => Promise.resolve({ outcome: "done", result: {} })));
    ends.push(await sleeping);
    return { outcome: "done", result: {} };
  });
  assertEquals([end, ...ends], ["lost", "done", "ended"]);
  assertEquals((await maker.job(id)).state, "succeeded");
});

Deno.test("runSlice() gives the job back before the isolate ends", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const end = await slice(id, async (s) => {
    await writeRows(s, 2);
    globalThis.dispatchEvent(new CustomEvent("beforeunload", { detail: { reason: "cpu" } }));
    assert(s.shouldStop());
    await s.sql`select pg_sleep(60)`;
    return { outcome: "done", result: {} };
  }, { graceMs: 10 });
  assertEquals(end, "continued");
  const job = await maker.job(id);
  assertEquals([job.state, job.attempt], ["queued", 1]);
  const next = await slice(id, (s) => Promise.resolve({ outcome: "done", result: { cursor: s.cursor } }));
  assertEquals(next, "done");
  const done = await maker.job(id);
  assertEquals([done.attempt, done.result], [1, { cursor: { row: 2 } }]);
});

Deno.test("runSlice() fails the job where its isolates end again and again before anything was saved", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const cutOff = (before: (s: Slice) => void = () => {}) =>
    slice(id, async (s) => {
      before(s);
      globalThis.dispatchEvent(new CustomEvent("beforeunload", { detail: { reason: "wall_clock" } }));
      await s.sql`select pg_sleep(60)`;
      return { outcome: "done", result: {} };
    }, { graceMs: 10 });
  for (let n = 0; n < 4; n++) assertEquals(await cutOff(), "continued");
  assertEquals(await cutOff((s) => s.ifCutOff({ row: 1, cutOffs: 1 })), "continued");
  for (let n = 0; n < 5; n++) {
    const { state, attempt } = await maker.job(id);
    assertEquals([state, attempt], ["queued", 1]);
    await cutOff();
  }
  const job = await maker.job(id);
  assertEquals([job.state, job.error?.code], ["failed", "internal"]);
});

Deno.test("runSlice() fails the job for good with an error of the contract", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const end = await slice(id, () => {
    throw new LongshoreError("empty_file", 'Cannot read "a.csv": found no rows', { details: { rows: 0 } });
  });
  assertEquals(end, "failed");
  const job = await maker.job(id);
  assertEquals(job.state, "failed");
  assertEquals(job.error, {
    code: "empty_file",
    message: 'Cannot read "a.csv": found no rows',
    details: { rows: 0 },
  });
});

Deno.test("runSlice() fails the job together with the cursor for its retry, or does neither", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const tooMany: SliceHandler = (s) => {
    const { row } = (s.cursor ?? { row: 0 }) as { row: number };
    const error = new LongshoreError("too_many_problems", "Cannot go on");
    return Promise.resolve({ outcome: "fail", error, cursor: { row: row + 1 } });
  };
  const cursor = async () =>
    (await maker.admin`select cursor from jobs_private.job_state where job_id = ${id}`)[0]?.cursor;

  const late = await slice(id, async (s) => {
    const outcome = await tooMany(s);
    await maker.admin`update jobs_private.job_state set token = token + 1000000 where job_id = ${id}`;
    return outcome;
  });
  assertEquals([late, (await maker.job(id)).state, await cursor()], ["lost", "running", null]);

  await maker
    .admin`update jobs_private.job_state set lease_expires_at = jobs.now() - interval '1 s' where job_id = ${id}`;
  await maker.admin`select jobs_private.tick()`;
  await maker.admin`update jobs_private.job_state set run_after = now() where job_id = ${id}`;
  assertEquals([await slice(id, tooMany), await cursor()], ["failed", { row: 1 }]);
  const { state, error } = await maker.job(id);
  assertEquals([state, error?.code], ["failed", "too_many_problems"]);
});

Deno.test("runSlice() tries again after any other error, and tells nobody its text", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  await maker.admin`update jobs.jobs set max_attempts = 2 where id = ${id}`;
  const fail = () =>
    slice(id, (s) => s.sql`select ${"+44 7700 900123"}::int`.then(() => ({ outcome: "continue" })));
  assertEquals(await fail(), "retried");
  assertEquals((await maker.job(id)).state, "queued");
  assertEquals(await fail(), "idle");
  await maker.admin`update jobs_private.job_state set run_after = now() where job_id = ${id}`;
  assertEquals(await fail(), "failed");
  const job = await maker.job(id);
  assertEquals([job.state, job.attempt, job.error?.code], ["failed", 2, "internal"]);
  assert(!JSON.stringify(job.error).includes("7700"));
});

Deno.test("runSlice() stops when the owner is banned in mid-job", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const end = await slice(id, async (s) => {
    await writeRows(s, 2);
    await maker
      .admin`update auth.users set banned_until = now() + interval '1 day' where id = ${maker.person.userId}`;
    await writeRows({ ...s, cursor: { row: 2 } }, 4);
    return { outcome: "done", result: {} };
  });
  assertEquals(end, "failed");
  assertEquals((await maker.job(id)).error?.code, "not_allowed");
  assertEquals(await rowsOf(maker, id), [1, 2]);
});

Deno.test("runSlice() refuses a file that was changed since the job was started", async () => {
  await using maker = await jobMaker(stack);
  const path = `${maker.orgId}/a.csv`;
  const file = { bucket: "imports", path };
  const body = (text: string) => new Blob([text], { type: "text/csv" });
  const files = maker.person.client.storage.from("imports");
  assertEquals((await files.upload(path, body("a\n1\n"))).error, null);
  const same = await maker.enqueue({ file });
  const changed = await maker.enqueue({ file });
  const done: SliceHandler = (s) =>
    Promise.resolve({ outcome: "done", result: { size: s.file?.size ?? null } });
  assertEquals(await slice(same, done), "done");
  assertEquals((await maker.job(same)).result, { size: 4 });
  assertEquals((await files.update(path, body("a\n2\n"))).error, null);
  assertEquals(await slice(changed, done), "failed");
  assertEquals((await maker.job(changed)).error?.code, "file_changed");
});

Deno.test("runSlice() settles deferred rules as the owner, before the cursor is committed", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  await maker.admin.unsafe(`
    create table if not exists tests_jobs.deferred (id int primary key, before int references tests_jobs.deferred deferrable initially deferred);
    grant insert on tests_jobs.deferred to authenticated;
  `);
  const end = await slice(id, async (s) => {
    await s.asOwner((sql) => sql`insert into tests_jobs.deferred values (1, 2)`, { cursor: { row: 1 } });
    return { outcome: "done", result: {} };
  });
  assertEquals(end, "retried");
  const [state] = await maker.admin`select cursor from jobs_private.job_state where job_id = ${id}`;
  assertEquals(state?.cursor, null);
});
