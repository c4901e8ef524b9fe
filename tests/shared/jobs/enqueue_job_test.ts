import { assertEquals } from "@std/assert";
import { jobMaker, TEST_KIND } from "../../helpers/jobs.ts";
import { testStack } from "../../helpers/stack.ts";

const stack = await testStack();

Deno.test("enqueue_job() makes one job of many equal requests at once", async () => {
  await using maker = await jobMaker(stack);
  const request = { idempotencyKey: crypto.randomUUID(), requestHash: "same" };
  const ids = await Promise.all(Array.from({ length: 10 }, () => maker.enqueue(request)));
  assertEquals(new Set(ids).size, 1);
});

Deno.test("enqueue_job() keeps the limit of unfinished jobs with many requests at once", async () => {
  await using maker = await jobMaker(stack);
  await maker.admin`
    with made as (
      insert into jobs.jobs (kind, org_id, owner_id)
      select ${TEST_KIND}, ${maker.orgId}, ${maker.person.userId} from generate_series(1, 97) returning id
    )
    insert into jobs_private.job_state (job_id, function_name, owner_id, run_after)
    select id, 'no-such-function', ${maker.person.userId}, 'infinity' from made`;
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => maker.enqueue().then(() => "made", (error) => error.code)),
  );
  assertEquals(answers.filter((answer) => answer === "made").length, 3);
  assertEquals(answers.filter((answer) => answer === "too_many_jobs").length, 7);
});

Deno.test("enqueue_job() lets one of two commits at once win", async () => {
  await using maker = await jobMaker(stack);
  const { client } = maker.person;
  const [check] = await maker.admin`
    with made as (
      insert into jobs.jobs (kind, state, org_id, owner_id, result, finished_at)
      values ('import_check', 'succeeded', ${maker.orgId}, ${maker.person.userId}, '{}', now()) returning id
    )
    insert into jobs_private.job_state (job_id, function_name, owner_id, staging_until)
    select id, 'import', ${maker.person.userId}, now() + interval '1 day' from made returning job_id`;
  const commit = () =>
    client.schema("jobs").rpc("enqueue_job", {
      p_function: "import-commit",
      p_kind: "import_commit",
      p_org_id: maker.orgId,
      p_params: {},
      p_parent_id: check?.job_id,
    });
  const answers = await Promise.all([commit(), commit(), commit()]);
  assertEquals(answers.map(({ status }) => status).toSorted(), [200, 409, 409]);
  const refused = answers.find(({ error }) => error)?.error;
  const won = answers.find(({ data }) => data)?.data;
  assertEquals(refused?.code, "already_committed");
  assertEquals(JSON.parse(refused?.details ?? "null"), { job_id: won.job.id });
  await client.schema("jobs").rpc("cancel_job", { job_id: won.job.id }).throwOnError();
});
