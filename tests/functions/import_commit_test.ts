/** Modes and policies: what a check promises is counted, and what a commit then does, or refuses to do. */
import { assertEquals, assertMatch } from "@std/assert";
import { type Answer, type Importer, importer, labStack, type Outcome, post } from "../helpers/imports.ts";

const stack = await labStack();
const HEAD = "Tag,Type,Drawing,Description,Quantity\n";

/** The counts of a check as a commit counts, or of a commit. */
function counts({ job }: Outcome): unknown {
  return job.kind === "import_check" ? job.result?.would : job.result;
}

async function table(it: Importer): Promise<unknown[]> {
  return (await it.components()).map(({ tag, type, drawing, description, quantity }) => [
    tag,
    type,
    drawing,
    description,
    quantity,
  ]);
}

async function commitAnswer(
  it: Importer,
  check: Outcome,
  more: Record<string, unknown> = {},
): Promise<Answer> {
  return await post(it, "import-commit", { body: { import_id: check.job.id, ...more } });
}

async function isStaged(it: Importer, { job }: Outcome): Promise<boolean> {
  const [row] = await it.admin`
    select exists (select from jobs_private.imports where job_id = ${job.id})
      or exists (select from jobs_private.staging_slots where job_id = ${job.id}) as staged`;
  return row?.staged;
}

/** What the clock does every ten seconds. */
async function tick(): Promise<void> {
  const response = await fetch(`${stack.url}/functions/v1/jobs-tick`, {
    method: "POST",
    headers: { apikey: stack.secretKey },
  });
  await response.body?.cancel();
}

Deno.test("upserting inserts what is new, updates what differs and leaves the rest alone", async () => {
  await using it = await importer(stack);
  await it.commit(await it.check(`${HEAD}A,spool,D-1,old,1\nB,valve,D-1,same,2\nC,valve,D-1,there,3\n`));
  const stamps = async () =>
    Object.fromEntries(
      (await it.admin`
        select tag, updated_at::text, ctid::text from pipetrak.components where project_id = ${it.projectId}`)
        .map(({ tag, ...row }) => [tag, JSON.stringify(row)]),
    );
  const before = await stamps();
  // Quantity and drawing of C: an empty cell empties, a column that is not in the file stays.
  const check = await it.check(
    "Tag,Type,Drawing,Description\nA,spool,D-2,new\nB,VALVE,D-1,same\nC,valve,D-1,\nD,spool,D-1,x\n",
    {
      options: { mode: "upsert" },
    },
  );
  assertEquals([counts(check), check.problems], [{ insert: 1, update: 2, unchanged: 1 }, []]);
  assertEquals(await stamps(), before);
  const commit = await it.commit(check);
  assertEquals(commit.job.result, { inserted: 1, updated: 2, unchanged: 1, skipped: 0, failed: 0 });
  assertEquals(await table(it), [
    ["A", "spool", "D-2", "new", "1"],
    ["B", "valve", "D-1", "same", "2"],
    ["C", "valve", "D-1", null, "3"],
    ["D", "spool", "D-1", "x", null],
  ]);
  // Not even touched.
  assertEquals((await stamps()).B, before.B);

  const again = await it.check("Tag,Type,Drawing,Description\nA,spool,D-2,new\nD,spool,D-1,x\n", {
    options: { mode: "upsert" },
  });
  assertEquals(counts(again), { insert: 0, update: 0, unchanged: 2 });
});

Deno.test("updating changes only the columns that the file has, and inserts nothing", async () => {
  await using it = await importer(stack);
  await it.commit(await it.check(`${HEAD}A,spool,D-1,old,1\nB,valve,D-1,same,2\n`));
  const check = await it.check("Tag,Quantity\nA,7\nB,2\nC,1\n", { options: { mode: "update" } });
  assertEquals(counts(check), { insert: 0, update: 1, unchanged: 1 });
  assertEquals(check.problems.map(({ row, code }) => [row, code]), [[4, "conflict"]]);
  const commit = await it.commit(check, { policy: "valid_rows" });
  assertEquals(commit.job.result, { inserted: 0, updated: 1, unchanged: 1, skipped: 1, failed: 0 });
  assertEquals(await table(it), [["A", "spool", "D-1", "old", "7"], ["B", "valve", "D-1", "same", "2"]]);
});

Deno.test("a column that has a default keeps its value where the cell is empty", async () => {
  await using it = await importer(stack);
  const dataset = "lab.people";
  await it.commit(await it.check("Name,Active,Age\nAda,no,36\nBea,,1\n", { dataset }));
  const check = await it.check("Name,Active,Age\nAda,,\nCleo,,\n", { dataset, options: { mode: "upsert" } });
  assertEquals(counts(check), { insert: 1, update: 1, unchanged: 0 });
  await it.commit(check);
  const rows = await it.admin`
    select name, active, age from lab.people where project_id = ${it.projectId} order by name`;
  assertEquals(rows.map((row) => Object.values(row)), [["Ada", false, null], ["Bea", true, 1], [
    "Cleo",
    true,
    null,
  ]]);
});

Deno.test("a check writes nothing, and its commit writes all rows or none", async () => {
  await using it = await importer(stack);
  const check = await it.check(`${HEAD}A,spool,D-1,,1\nB,spool,D-1,,2\n`);
  assertEquals([await table(it), await isStaged(it, check)], [[], true]);
  const commit = await it.commit(check);
  assertEquals([commit.job.state, commit.job.parent_id, commit.job.result], ["succeeded", check.job.id, {
    inserted: 2,
    updated: 0,
    unchanged: 0,
    skipped: 0,
    failed: 0,
  }]);
  await tick();
  assertEquals([(await table(it)).length, await isStaged(it, check)], [2, false]);
});

Deno.test("committing all rows is refused while there are problems, and the valid ones can be committed still", async () => {
  await using it = await importer(stack);
  const check = await it.check(`${HEAD}A,spool,D-1,,1\nB,spool,D-1,,none\n`);
  const answer = await commitAnswer(it, check);
  assertEquals([answer.status, answer.body.code, answer.body.details.invalid], [409, "has_problems", 1]);
  assertEquals(answer.body.details.request_id, answer.headers.get("x-request-id"));
  const commit = await it.commit(check, { policy: "valid_rows" });
  assertEquals(counts(commit), { inserted: 1, updated: 0, unchanged: 0, skipped: 1, failed: 0 });
});

Deno.test("a check is committed once, whatever became of it", async () => {
  await using it = await importer(stack);
  const check = await it.check(`${HEAD}A,spool,D-1,,1\n`);
  const commit = await it.commit(check);
  for (const policy of ["all_or_nothing", "valid_rows"]) {
    const answer = await commitAnswer(it, check, { policy });
    assertEquals([answer.status, answer.body.code, answer.body.details.job_id], [
      409,
      "already_committed",
      commit.job.id,
    ]);
  }
});

Deno.test("a check that has not succeeded, or that has expired, is not committed", async () => {
  await using it = await importer(stack);
  const failed = await it.check("Name\nA\n");
  const answer = await commitAnswer(it, failed);
  assertEquals([answer.status, answer.body.code], [409, "not_checked"]);

  const check = await it.check(`${HEAD}A,spool,D-1,,1\n`);
  const expiresIn = Date.parse(String(check.job.result?.expires_at)) -
    Date.parse(String(check.job.finished_at));
  assertEquals(expiresIn, 7 * 24 * 3_600_000);
  await it.admin`
    update jobs_private.job_state set staging_until = now() - interval '1 s' where job_id = ${check.job.id}`;
  const late = await commitAnswer(it, check);
  assertEquals([late.status, late.body.code], [409, "expired"]);
  await tick();
  assertEquals(await isStaged(it, check), false);
  assertEquals((await commitAnswer(it, check)).body.code, "expired");
});

Deno.test("a commit is refused when the target has changed since the check", async (t) => {
  await using it = await importer(stack);
  const redefine = (from: string, to: string) =>
    `do $do$ begin execute replace(
      pg_get_functiondef('pipetrak.writable_projects()'::regprocedure), ${from}, ${to}); end $do$`;
  const changes: [name: string, change: string, back: string][] = [
    [
      "a function that a policy asks",
      redefine("E'\\n$function$'", "E'\\n-- changed\\n$function$'"),
      redefine("E'\\n-- changed'", "''"),
    ],
    ["a column", "alter table lab.seats add note text", "alter table lab.seats drop note"],
    [
      "a CHECK",
      "alter table lab.seats add constraint names_are_short check (length(name) < 100)",
      "alter table lab.seats drop constraint names_are_short",
    ],
    [
      "a policy",
      "create policy more on lab.seats as restrictive for insert to authenticated with check (true)",
      "drop policy more on lab.seats",
    ],
    [
      "a trigger",
      "alter table lab.seats disable trigger seats_are_five",
      "alter table lab.seats enable trigger seats_are_five",
    ],
    ["an index", "create unique index one_name on lab.seats (name)", "drop index lab.one_name"],
    [
      "row security",
      "alter table lab.seats force row level security",
      "alter table lab.seats no force row level security",
    ],
  ];
  for (const [name, change, back] of changes) {
    await t.step(name, async () => {
      const check = await it.check("Name\nA\n", { dataset: "lab.seats" });
      await it.admin.unsafe(change);
      try {
        const answer = await commitAnswer(it, check);
        assertEquals([answer.status, answer.body.code], [409, "target_changed"]);
      } finally {
        await it.admin.unsafe(back);
      }
    });
  }
  // What is changed and changed back is the same.
  const check = await it.check("Name\nA\n", { dataset: "lab.seats" });
  await it.admin.unsafe("alter table lab.seats disable trigger seats_are_five");
  await it.admin.unsafe("alter table lab.seats enable trigger seats_are_five");
  assertEquals((await it.commit(check)).job.state, "succeeded");
});

Deno.test("a commit fails when the target changes before its first row", async () => {
  await using it = await importer(stack);
  const check = await it.check("Name\nA\n", { dataset: "lab.seats" });
  // Made, but not begun.
  const { data: { job } } = await it.person.client.schema("jobs").rpc("enqueue_job", {
    p_function: "import-commit",
    p_kind: "import_commit",
    p_org_id: it.orgId,
    p_params: { import_id: check.job.id, policy: "valid_rows" },
    p_parent_id: check.job.id,
  }).throwOnError();
  await it.admin.unsafe("alter table lab.seats add note text");
  const slice = await fetch(`${stack.url}/functions/v1/import-commit`, {
    method: "POST",
    headers: { apikey: stack.secretKey },
    body: JSON.stringify({ job_id: job.id }),
  });
  await slice.body?.cancel();
  const commit = await it.follow(job.id);
  assertEquals([commit.job.state, commit.job.error?.code], ["failed", "target_changed"]);
  assertEquals((await it.admin`select from lab.seats where project_id = ${it.projectId}`).length, 0);
  await it.admin.unsafe("alter table lab.seats drop note");
});

Deno.test("rows that fail only at the commit are told as the commit's problems", async (t) => {
  await using it = await importer(stack);
  /** Somebody else's row, after the check. */
  const meanwhile = (tag: string) =>
    it.person.client.schema("pipetrak").from("components").insert({
      project_id: it.projectId,
      tag,
      component_type: "valve",
      drawing_id: drawing,
      description: "somebody else's",
    }).throwOnError();
  const [{ id: drawing }] = await it.admin<[{ id: string }]>`
    select id from pipetrak.drawings where project_id = ${it.projectId} and number = 'D-1'`;

  await t.step("all_or_nothing writes nothing", async () => {
    const check = await it.check(`${HEAD}A,spool,D-1,,1\nB,spool,D-1,,2\n`);
    await meanwhile("B");
    const commit = await it.commit(check);
    assertEquals([commit.job.state, commit.job.error?.code, commit.job.error?.details?.failed], [
      "failed",
      "has_problems",
      1,
    ]);
    assertEquals(
      commit.problems.map(({ row, line, column, code, value }) => [row, line, column, code, value]),
      [
        [3, 3, "tag", "duplicate_existing", "B"],
      ],
    );
    assertEquals((await table(it)).length, 1);
    // The reason gone, the same commit goes on.
    await it.admin`delete from pipetrak.components where project_id = ${it.projectId}`;
    await it.person.client.schema("jobs").rpc("retry_job", { job_id: commit.job.id }).throwOnError();
    const again = await it.follow(commit.job.id);
    assertEquals([again.job.state, counts(again), again.problems], ["succeeded", {
      inserted: 2,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      failed: 0,
    }, []]);
  });

  await t.step("valid_rows writes the others", async () => {
    const check = await it.check(
      `${HEAD}C,spool,D-1,,1\nD,spool,D-1,,2\nE,spool,D-1,,none\nF,spool,D-2,,2\n`,
    );
    await meanwhile("D");
    await it.admin`delete from pipetrak.drawings where project_id = ${it.projectId} and number = 'D-2'`;
    const commit = await it.commit(check, { policy: "valid_rows" });
    assertEquals(counts(commit), { inserted: 1, updated: 0, unchanged: 0, skipped: 1, failed: 2 });
    assertEquals(commit.problems.map(({ row, code }) => [row, code]), [
      [3, "duplicate_existing"],
      [5, "unknown_reference"],
    ]);
    // The check's own problems stay as they were.
    assertEquals((await it.follow(check.job.id)).problems.map(({ row }) => row), [4]);
  });
});

Deno.test("stop_after ends after so many rows have failed, keeps what was written, and goes on when retried", async () => {
  await using it = await importer(stack);
  await it.set({ chunk_rows: 2 });
  const tags = ["A", "B", "C", "D", "E", "F", "G", "H"];
  const check = await it.check(
    HEAD + tags.map((tag) => `${tag},spool,D-1,,1\n`).join("") + "I,spool,D-1,,none\n",
  );
  // B, D and F come in between.
  const other = await it.check(HEAD + ["B", "D", "F"].map((tag) => `${tag},valve,D-1,,9\n`).join(""));
  await it.commit(other);
  const commit = await it.commit(check, { policy: "stop_after", stop_after: 2 });
  assertEquals([commit.job.state, commit.job.error?.code], ["failed", "too_many_problems"]);
  const { inserted, updated, unchanged, skipped, failed } = commit.job.error?.details ?? {};
  assertEquals({ inserted, updated, unchanged, skipped, failed }, {
    inserted: 2,
    updated: 0,
    unchanged: 0,
    skipped: 5,
    failed: 2,
  });
  assertEquals(commit.problems.map(({ row }) => row), [3, 5]);
  assertEquals((await table(it)).length, 5);

  await it.person.client.schema("jobs").rpc("retry_job", { job_id: commit.job.id }).throwOnError();
  const again = await it.follow(commit.job.id);
  assertEquals([again.job.state, counts(again)], ["succeeded", {
    inserted: 5,
    updated: 0,
    unchanged: 0,
    skipped: 1,
    failed: 3,
  }]);
  assertEquals(again.problems.map(({ row }) => row), [3, 5, 7]);
  assertEquals((await table(it)).length, 8);
  await tick();
  assertEquals(await isStaged(it, check), false);
  await it.set({ chunk_rows: 5000 });
});

Deno.test("all rows are not committed in one transaction where they are too many for it", async () => {
  await using it = await importer(stack);
  const check = await it.check(`${HEAD}A,spool,D-1,,1\nB,spool,D-1,,1\nC,spool,D-1,,1\n`);
  await it.set({ one_transaction_rows: 2 });
  const answer = await commitAnswer(it, check);
  assertEquals([answer.status, answer.body.code], [413, "too_large_for_one_transaction"]);
  assertMatch(answer.body.message, /expected at most 2/);
  assertEquals((await it.commit(check, { policy: "valid_rows" })).job.state, "succeeded");
  await it.set({ one_transaction_rows: 1_000_000 });
});

Deno.test("a cancelled commit keeps what it wrote, around a row that held one of its sessions up, and goes on with what is missing", async () => {
  await using it = await importer(stack);
  await it.set({ chunk_rows: 1 });
  const rows = [..."ABCDE"].map((tag) => `${tag},spool,D-1,,1\n`);
  const check = await it.check(HEAD + rows.join(""));
  // B waits for a lock until the job is cancelled; the other session goes on to the end.
  const lock = await it.admin.reserve();
  await lock`begin`;
  await lock`
    insert into pipetrak.components (project_id, tag, component_type, drawing_id)
    select project_id, 'B', 'spool', id from pipetrak.drawings where project_id = ${it.projectId} and number = 'D-1'`;
  const answer = await commitAnswer(it, check, { policy: "valid_rows" });
  const jobId: string = answer.body.job.id;
  while ((await table(it)).length < 4) await new Promise((go) => setTimeout(go, 10));
  await it.person.client.schema("jobs").rpc("cancel_job", { job_id: jobId }).throwOnError();
  const cancelled = await it.follow(jobId);
  assertEquals(cancelled.job.state, "cancelled");
  assertEquals(counts(cancelled), { inserted: 4, updated: 0, unchanged: 0, skipped: 1, failed: 0 });
  await lock`rollback`;
  lock.release();
  const tags = async () => (await table(it)).map((row) => (row as string[])[0]).toSorted().join("");
  assertEquals(await tags(), "ACDE");
  await it.person.client.schema("jobs").rpc("retry_job", { job_id: jobId }).throwOnError();
  const again = await it.follow(jobId);
  assertEquals(counts(again), { inserted: 5, updated: 0, unchanged: 0, skipped: 0, failed: 0 });
  assertEquals(await tags(), "ABCDE");
  await it.set({ chunk_rows: 5000 });
});

Deno.test("a commit that is cancelled before it wrote anything says so", async () => {
  await using it = await importer(stack);
  const check = await it.check(`${HEAD}A,spool,D-1,,1\nB,spool,D-1,,1\n`);
  const lock = await it.admin.reserve();
  await lock`begin`;
  await lock`
    insert into pipetrak.components (project_id, tag, component_type, drawing_id)
    select project_id, 'A', 'spool', id from pipetrak.drawings where project_id = ${it.projectId} and number = 'D-1'`;
  const answer = await commitAnswer(it, check);
  const jobId: string = answer.body.job.id;
  await it.person.client.schema("jobs").rpc("cancel_job", { job_id: jobId }).throwOnError();
  await lock`rollback`;
  lock.release();
  const cancelled = await it.follow(jobId);
  assertEquals(counts(cancelled), { inserted: 0, updated: 0, unchanged: 0, skipped: 2, failed: 0 });
  assertEquals(await table(it), []);
});
