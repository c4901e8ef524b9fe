import { assert, assertEquals, assertMatch } from "@std/assert";
import { SliceRequest } from "../../functions/refresh-metrics/schema.ts";
import { type RefreshLab, refreshLab } from "../helpers/refresh_lab.ts";
import { anonymous, type Person, signUp } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";

const stack = await testStack();

async function runsOf({ admin, view }: RefreshLab) {
  return [
    ...await admin<{ state: string; concurrent: boolean | null; jobs_served: number; job_id: string }[]>`
    select state, concurrent, jobs_served, job_id from jobs.refreshes where view = ${view} order by id`,
  ];
}

async function freshness(person: Person, view: string) {
  const { data, error } = await person.client.schema("jobs").from("refreshable_views").select().eq(
    "view",
    view,
  )
    .single();
  if (error) throw error;
  return data;
}

Deno.test("refresh-metrics refreshes a view as a job of the person and says as of when its numbers are", async () => {
  await using lab = await refreshLab(stack);
  await lab.write();
  assertEquals((await freshness(lab.owner, lab.view)).refreshed_at, null);
  const job = await lab.start(lab.owner);
  assertEquals([job.kind, job.state, job.org_id, job.owner_id], [
    "refresh",
    "queued",
    lab.orgId,
    lab.owner.userId,
  ]);
  const ended = await lab.ended(job.id);
  assertEquals([ended.state, ended.error, ended.attempt], ["succeeded", null, 1]);
  assertEquals(await lab.read(), 1);
  const { refreshed_at, duration_ms, ...rest } = ended.result!;
  assertEquals(rest, { view: lab.view, concurrent: true, jobs_served: 0 });
  assert(Date.parse(String(refreshed_at)) >= Date.parse(ended.created_at));
  assert(Number(duration_ms) >= 0);
  assertEquals([ended.progress.phase, ended.progress.percent, ended.progress.unit], [
    "refreshed",
    100,
    "seconds",
  ]);
  const now = await freshness(lab.owner, lab.view);
  assertEquals([Date.parse(now.refreshed_at), now.duration_ms], [
    Date.parse(String(refreshed_at)),
    duration_ms,
  ]);
});

Deno.test("refresh-metrics lets owners and admins of an organization concerned ask, and nobody else", async () => {
  await using lab = await refreshLab(stack);
  const stranger = await signUp(stack, "stranger");
  const elsewhere = await signUp(stack, "elsewhere");
  const { error } = await elsewhere.client.rpc("create_organization", { p_name: "Not concerned" });
  assertEquals(error, null);
  const cases: [string, Person | "nobody", number, string | undefined][] = [
    ["owner", lab.owner, 202, undefined],
    ["admin", await lab.join("admin"), 202, undefined],
    ["member", await lab.join("member"), 403, "not_allowed"],
    ["viewer", await lab.join("viewer"), 403, "not_allowed"],
    ["stranger", stranger, 403, "not_allowed"],
    ["owner of another organization", elsewhere, 403, "not_allowed"],
    ["anonymous", "nobody", 401, "not_authenticated"],
  ];
  for (const [who, person, status, code] of cases) {
    const response = await lab.post(person, { view: lab.view });
    const body = await response.json();
    assertEquals([who, response.status, body.code], [who, status, code]);
    if (status === 202) await lab.ended(body.job.id);
  }
});

Deno.test("refresh-metrics refuses what it cannot do, with the path or the names", async () => {
  await using lab = await refreshLab(stack);
  const cases: [unknown, number, string, string | null][] = [
    [{ view: "tests_refresh.no_such_view" }, 404, "unknown_view", null],
    [{ view: "pg_catalog.pg_class" }, 404, "unknown_view", null],
    [{ view: `${lab.view}; drop table jobs.jobs` }, 404, "unknown_view", null],
    [{}, 400, "invalid_request", "view"],
    [{ view: "" }, 400, "invalid_request", "view"],
    [{ view: 7 }, 400, "invalid_request", "view"],
    [{ view: lab.view, concurrently: false }, 400, "invalid_request", ""],
    ["{", 400, "invalid_request", ""],
  ];
  for (const caller of [lab.owner, null]) {
    for (const [body, status, code, path] of cases) {
      const response = await lab.post(caller, body);
      const answer = await response.json();
      assertEquals([response.status, answer.code], [status, code], JSON.stringify(answer));
      if (path === null) assert(answer.details.views.includes(lab.view));
      else assertEquals(answer.details.issues[0].path, path);
      assertMatch(answer.details.request_id, /^[\w-]{36}$/);
    }
  }
  assertEquals(await runsOf(lab), []);
  assertEquals(SliceRequest.safeParse({ job_id: "x" }).success, false);
});

Deno.test("refresh-metrics gives the same job for the same Idempotency-Key", async () => {
  await using lab = await refreshLab(stack);
  const headers = { "idempotency-key": "one" };
  const first = await lab.start(lab.owner, headers);
  await lab.ended(first.id);
  assertEquals((await lab.start(lab.owner, headers)).id, first.id);
  assertEquals((await runsOf(lab)).length, 1);
});

Deno.test("refresh-metrics takes the secret key for a job of the system, which no person sees", async () => {
  await using lab = await refreshLab(stack);
  const gate = await lab.closeGate();
  const running = await lab.start(null);
  await lab.untilAtGate();
  assertEquals([running.owner_id, running.org_id, running.kind], [null, null, "refresh"]);
  const waiting = await lab.start(null);
  assertEquals((await lab.start(null)).id, waiting.id, "one that waits is enough");
  assert(waiting.id !== running.id, "one that runs is not");

  const jobs = lab.owner.client.schema("jobs");
  assertEquals((await jobs.from("jobs").select()).data, []);
  for (const verb of ["cancel_job", "retry_job"]) {
    assertEquals((await jobs.rpc(verb, { job_id: running.id })).error?.code, "job_not_found");
  }
  await gate.open();
  assertEquals((await lab.ended(waiting.id)).state, "succeeded");
  assertEquals((await lab.job(running.id)).state, "succeeded");
});

Deno.test("refresh-metrics serves all who wait with one run, as of after their requests", async () => {
  await using lab = await refreshLab(stack);
  const colleague = await lab.join("admin");
  const gate = await lab.closeGate();
  const first = await lab.start(lab.owner);
  await lab.untilAtGate();
  await lab.write();
  const others = await Promise.all([lab.start(lab.owner), lab.start(colleague), lab.start(null)]);
  for (const { id } of others) assertEquals((await lab.job(id)).state, "queued");
  assertEquals(await lab.read(), 0, "readers see the old numbers meanwhile, and do not wait");
  await gate.open();

  const ended = await Promise.all(others.map(({ id }) => lab.ended(id)));
  assertEquals((await lab.job(first.id)).state, "succeeded");
  assertEquals(await lab.read(), 1);
  assertEquals(ended.map(({ state }) => state), ["succeeded", "succeeded", "succeeded"]);
  assertEquals(new Set(ended.map(({ result }) => result?.refreshed_at)).size, 1);
  for (const { result, created_at } of ended) {
    assert(Date.parse(String(result?.refreshed_at)) >= Date.parse(created_at));
  }
  const runs = await runsOf(lab);
  assertEquals(runs.map(({ state, jobs_served }) => [state, jobs_served]), [["succeeded", 0], [
    "succeeded",
    2,
  ]]);
});

Deno.test("refresh-metrics leaves the old numbers where a refresh fails, and says so", async () => {
  await using lab = await refreshLab(stack);
  const before = await lab.ended((await lab.start(lab.owner)).id);
  await lab.write();
  await lab.setBroken(true);
  const gate = await lab.closeGate();
  const first = await lab.start(lab.owner);
  await lab.untilAtGate();
  const second = await lab.start(lab.owner);
  const third = await lab.start(null);
  await gate.open();
  const failed = await Promise.all([first, second, third].map(({ id }) => lab.ended(id)));
  for (const { state, error } of failed) {
    assertEquals([state, error?.code], ["failed", "refresh_failed"]);
    assertEquals(error?.details?.sqlstate, "22012");
    assertEquals(error?.details?.refreshed_at, before.result?.refreshed_at);
    assertMatch(error!.message, /^Cannot refresh the view ".+": its query fails .+ as before$/);
  }
  assertEquals(await lab.read(), 0);
  assertEquals((await runsOf(lab)).map(({ state }) => state), ["succeeded", "failed", "failed"]);
  const stale = await freshness(lab.owner, lab.view);
  assertEquals(Date.parse(stale.refreshed_at), Date.parse(String(before.result?.refreshed_at)));
  assertEquals(stale.error.code, "refresh_failed");

  await lab.setBroken(false);
  await lab.owner.client.schema("jobs").rpc("retry_job", { job_id: first.id }).throwOnError();
  assertEquals((await lab.ended(first.id)).state, "succeeded");
  assertEquals(await lab.read(), 1);
  const fresh = await freshness(lab.owner, lab.view);
  assertEquals([fresh.failed_at, fresh.error], [null, null]);
});

Deno.test("refresh-metrics fills a view that never had numbers, which cannot be done concurrently", async () => {
  await using lab = await refreshLab(stack, { populated: false });
  await lab.ended((await lab.start(lab.owner)).id);
  assertEquals(await lab.read(), 0);
  await lab.ended((await lab.start(lab.owner)).id);
  assertEquals((await runsOf(lab)).map(({ concurrent }) => concurrent), [false, true]);
});

Deno.test("refresh-metrics refuses a job that was made past it, alone and beside another", async () => {
  await using lab = await refreshLab(stack);
  const member = await lab.join("member");
  const forge = async () => {
    const { data, error } = await member.client.schema("jobs").rpc("enqueue_job", {
      p_function: "refresh-metrics",
      p_kind: "refresh",
      p_org_id: lab.orgId,
      p_params: { view: lab.view },
    });
    if (error) throw error;
    await lab.post(null, { job_id: data.job.id }).then((response) => response.body?.cancel());
    return data.job.id as string;
  };
  const alone = await lab.ended(await forge());
  assertEquals([alone.state, alone.error?.code], ["failed", "not_allowed"]);

  const gate = await lab.closeGate();
  const running = await lab.start(lab.owner);
  await lab.untilAtGate();
  const forged = await forge();
  await gate.open();
  assertEquals((await lab.ended(forged)).error?.code, "not_allowed");
  assertEquals((await lab.ended(running.id)).state, "succeeded");
});

Deno.test("refresh-metrics asks again for the right when the work begins", async () => {
  await using lab = await refreshLab(stack);
  const colleague = await lab.join("admin");
  const gate = await lab.closeGate();
  const running = await lab.start(lab.owner);
  await lab.untilAtGate();
  const waiting = await lab.start(colleague);
  await lab.owner.client.rpc("remove_member", { p_org_id: lab.orgId, p_user_id: colleague.userId })
    .throwOnError();
  await gate.open();
  const ended = await lab.ended(waiting.id);
  assertEquals([ended.state, ended.error?.code], ["failed", "not_allowed"]);
  assertEquals((await lab.ended(running.id)).state, "succeeded");
});

Deno.test("a refresh that is cancelled ends, and the next one runs", async () => {
  await using lab = await refreshLab(stack);
  const gate = await lab.closeGate();
  const first = await lab.start(lab.owner);
  await lab.untilAtGate();
  const second = await lab.start(lab.owner);
  await lab.owner.client.schema("jobs").rpc("cancel_job", { job_id: first.id }).throwOnError();
  await gate.open();
  assertEquals((await lab.ended(second.id)).state, "succeeded");
  assertEquals((await lab.job(first.id)).state, "cancelled");
});

Deno.test("runs of a refresh are seen by those who may ask for one", async () => {
  await using lab = await refreshLab(stack);
  await lab.ended((await lab.start(lab.owner)).id);
  const seen = async (person: Person) => {
    const { data, error } = await person.client.schema("jobs").from("refreshes").select().eq(
      "view",
      lab.view,
    );
    if (error) throw error;
    return data.length;
  };
  assertEquals(await seen(lab.owner), 1);
  assertEquals(await seen(await lab.join("admin")), 1);
  assertEquals(await seen(await lab.join("member")), 0);
  assertEquals(await seen(await signUp(stack, "stranger")), 0);
  const { error } = await anonymous(stack).schema("jobs").from("refreshes").select();
  assertEquals(error?.code, "42501");
});

Deno.test("jobs.health tells the admins of an organization how its jobs got through", async () => {
  await using lab = await refreshLab(stack);
  await lab.ended((await lab.start(lab.owner)).id);
  await lab.setBroken(true);
  await lab.ended((await lab.start(lab.owner)).id);
  const health = async (person: Person) => {
    const { data, error } = await person.client.schema("jobs").from("health").select();
    if (error) throw error;
    return data;
  };
  const [row, ...others] = await health(lab.owner);
  assertEquals(others, []);
  assertEquals(
    [row.org_id, row.queued, row.running, row.succeeded, row.failed, row.slices, row.lost_leases],
    [
      lab.orgId,
      0,
      0,
      1,
      1,
      2,
      0,
    ],
  );
  assertEquals(row.failures, { refresh_failed: 1 });
  assert(lab.view in row.stale_views && row.slice_ms_most >= row.slice_ms_median);
  assertEquals(await health(await lab.join("member")), []);
});
