/**
 * Work in one transaction that an isolate has no time for: it is cut off before it comes to its end, and the next slice
 * begins where this one did. It must not go on like that for ever.
 */
import { assertEquals, assertMatch } from "@std/assert";
import postgres from "postgres";
import { type Importer, importer, labStack, post } from "../helpers/imports.ts";

const stack = await labStack();
const admin = postgres(stack.adminUrl, { max: 1, onnotice: () => {} });
// The message about the next slice may reach an isolate that is at its end; then the clock finds the job.
await admin`update jobs.settings set nudge_seconds = 1`;
await admin`update cron.job set schedule = '1 seconds' where jobname = 'longshore-tick'`;
await admin.end();

interface CutOffs {
  table: string;
  function: "import" | "import-commit";
  body: unknown;
}

/** Posts to the function, whose isolates live no longer than it takes to come to where nobody can write to the table. */
async function cutOff(
  it: Importer,
  { table, function: name, body }: CutOffs,
  times: number,
): Promise<string> {
  // One that has lived longer than that already would be killed without a word.
  await stack.functionsControl.kill(name);
  try {
    return await it.admin.begin(async (sql) => {
      await sql`lock table ${sql(table)} in share row exclusive mode`;
      const answer = await post(it, name, { body });
      const id: string = answer.body.job.id;
      stack.functionsControl.setLimits(name, { wallClockMs: 3000 });
      for (let seen = 0; seen < times;) {
        await new Promise((go) => setTimeout(go, 20));
        const [row] = await it.admin<{ times: number }[]>`
          select coalesce((cursor -> 'cutOffs')::integer, 0) as times
          from jobs_private.job_state where job_id = ${id}`;
        seen = row!.times;
      }
      return id;
    }) as string;
  } finally {
    stack.functionsControl.setLimits(name, null);
  }
}

Deno.test("a commit in one transaction that is cut off again and again ends, and says what to do", async () => {
  await using it = await importer(stack);
  const check = await it.check("Tag,Type,Drawing\nA,spool,D-1\nB,spool,D-1\n");
  const body = { import_id: check.job.id };
  const id = await cutOff(it, { table: "pipetrak.components", function: "import-commit", body }, 3);
  const { job } = await it.follow(id);
  assertEquals([job.state, job.attempt, job.error?.code], ["failed", 1, "too_large_for_one_transaction"]);
  assertMatch(
    job.error!.message,
    /longer than a function may run, 3 times.*check the file again.*"valid_rows"/,
  );
  assertEquals((await it.components()).length, 0);
  // Whoever has it tried again has it tried in earnest.
  await it.person.client.schema("jobs").rpc("retry_job", { job_id: id }).throwOnError();
  assertEquals((await it.follow(id)).job.state, "succeeded");
  assertEquals((await it.components()).length, 2);
});

Deno.test("a check in one transaction that is cut off again and again goes on chunk by chunk, and says so", async () => {
  await using it = await importer(stack);
  await it.admin`delete from lab.seats`;
  const body = await it.request("Name\nA\nB\n", { dataset: "lab.seats" });
  const { job } = await it.follow(await cutOff(it, { table: "lab.seats", function: "import", body }, 3));
  const { guarantee, valid } = job.result ?? {};
  assertEquals([job.state, job.attempt, guarantee, valid], ["succeeded", 1, "per_chunk", 2]);
});
