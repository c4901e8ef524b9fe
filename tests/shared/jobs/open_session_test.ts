import { assert, assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { openSession, type Sql, type Transaction } from "../../../shared/jobs/open_session.ts";
import { testStack } from "../../helpers/stack.ts";

const stack = await testStack();

interface Lab extends AsyncDisposable {
  sql: Sql;
  /** Cuts the session, as a restart of the database does. */
  cut(): Promise<void>;
  /** How many sessions there are. */
  count(): Promise<number>;
}

function openLab(): Lab {
  const admin = postgres(stack.adminUrl, { max: 1, onnotice: () => {}, prepare: false });
  const applicationName = `test-${crypto.randomUUID()}`;
  const sql = openSession(stack.workerUrl, { applicationName });
  return {
    sql,
    async cut() {
      await admin`select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = ${applicationName}`;
    },
    async count() {
      const [row] = await admin<{ count: number }[]>`
        select count(*)::int from pg_stat_activity where application_name = ${applicationName}`;
      return row!.count;
    },
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 0 });
      await admin.end();
    },
  };
}

const one = (sql: Sql | Transaction) =>
  sql<{ one: number }[]>`select ${1}::int as one`.then(([row]) => row?.one);

Deno.test("openSession() rejects what a lost session had at hand, and answers the next query at once", async () => {
  await using lab = openLab();
  // Whether the isolate survives depends on what the event loop does first.
  for (let n = 0; n < 12; n++) {
    assertEquals(await one(lab.sql), 1);
    const atHand = [lab.sql`select pg_sleep(${60})`, lab.sql`select ${"x".repeat(2000)}::text`];
    const ended = Promise.allSettled(atHand);
    await new Promise((go) => setTimeout(go, n % 3));
    await lab.cut();
    assertEquals((await ended).map(({ status }) => status), ["rejected", "rejected"]);
    const from = performance.now();
    assertEquals(await one(lab.sql), 1);
    assert(performance.now() - from < 2000);
  }
});

Deno.test("openSession() answers the next query though the session was lost between two", async () => {
  await using lab = openLab();
  assertEquals(await one(lab.sql), 1);
  await lab.cut();
  // It may be asked before it has heard of it.
  await one(lab.sql).catch(() => {});
  assertEquals(await one(lab.sql), 1);
});

Deno.test("openSession() keeps what is left of a lost transaction out of the next session", async () => {
  await using lab = openLab();
  const late = Promise.withResolvers<void>();
  const tried = Promise.withResolvers<string>();
  const lost = lab.sql.begin(async (transaction) => {
    await one(transaction);
    await lab.cut();
    await late.promise;
    const again = transaction`create temporary table left_behind ()`;
    again.then(() => tried.resolve("written"), () => tried.resolve("refused"));
    await again;
  });
  await assertRejects(() => lost);
  assertEquals(await one(lab.sql), 1);
  late.resolve();
  assertEquals(await tried.promise, "refused");
  const [row] = await lab.sql`select to_regclass('left_behind') as found`;
  assertEquals(row?.found, null);
});

Deno.test("openSession() rejects every query while the database cannot be reached", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const url = new URL(stack.workerUrl);
  url.port = String(port);
  const sql = openSession(url.href, { applicationName: "test" });
  for (let n = 0; n < 3; n++) {
    const ends = await Promise.allSettled([one(sql), one(sql)]);
    assertEquals(ends.map(({ status }) => status), ["rejected", "rejected"]);
  }
  await sql.end();
});

Deno.test("openSession() leaves no session behind when it is ended while it connects", async () => {
  await using lab = openLab();
  for (const wait of [0, 0, 1, 2]) {
    const sql = openSession(stack.workerUrl, { applicationName: `test-${crypto.randomUUID()}` });
    const asked = Promise.allSettled([one(sql)]);
    await new Promise((go) => setTimeout(go, wait));
    await sql.end({ timeout: 0 });
    await asked;
    await assertRejects(() => one(sql));
  }
  const ending = one(lab.sql).catch(() => {});
  await lab.sql.end({ timeout: 0 });
  await ending;
  const deadline = performance.now() + 5000;
  while (await lab.count() > 0 && performance.now() < deadline);
  assertEquals(await lab.count(), 0);
});
