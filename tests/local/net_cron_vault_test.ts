import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import postgres from "postgres";
import { startPgCron } from "../../local/pg_cron.ts";
import { installPgExtensions } from "../../local/pg_extensions.ts";
import { startPgNet } from "../../local/pg_net.ts";
import { installPlatform } from "../../local/platform.ts";
import { type Postgres, startPostgres } from "../../local/postgres.ts";

/** Only a test that fails waits that long. */
const PATIENCE_MS = 20_000;

let dir: string;
let database: Postgres;

Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir();
  database = await startPostgres({ dataDir: join(dir, "db"), durable: false });
  await installPgExtensions(database.installDir);
  await installPlatform(database.url("supabase_admin"));
});

Deno.test.afterAll(async () => {
  await database.stop();
  await Deno.remove(dir, { recursive: true });
});

/** The database as `user`, and what was got ready for one test; all of it ends with the test. */
async function open(user = "postgres"): Promise<AsyncDisposable & { sql: postgres.Sql }> {
  const sql = postgres(database.url(user), { max: 2, onnotice: () => {} });
  await sql`select 1`;
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
}

/** Asks again until there is an answer: what is awaited happens in another process. */
async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const start = Date.now(); Date.now() - start < PATIENCE_MS;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((go) => setTimeout(go, 10));
  }
  throw new Error("What is awaited did not happen");
}

/** A server that remembers what it was asked. */
function startTarget(): AsyncDisposable & {
  url: string;
  seen: { method: string; path: string; body: string }[];
} {
  const seen: { method: string; path: string; body: string }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    seen.push({ method: request.method, path: pathname + search, body: await request.text() });
    if (pathname === "/slow") await new Promise((go) => setTimeout(go, 500));
    return Response.json({ key: request.headers.get("apikey") }, { status: 202 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    seen,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function withPgNet(work: () => Promise<void>): Promise<void> {
  const worker = await startPgNet({ adminUrl: database.url("supabase_admin"), pauseMs: 10 });
  try {
    await work();
  } finally {
    await worker.stop();
  }
}

function responseOf(sql: postgres.Sql, id: string) {
  return eventually(async () => (await sql`select * from net._http_response where id = ${id}`)[0]);
}

Deno.test("create extension passes for pg_cron, pg_net and supabase_vault", async () => {
  await using own = await open();
  await own.sql`create extension if not exists pg_cron`;
  await own.sql`create extension if not exists pg_net with schema extensions`;
  await own.sql`create extension if not exists supabase_vault`;
});

Deno.test("net.http_post() is sent after the commit, and its answer kept", async () => {
  await using own = await open();
  await using target = startTarget();
  await withPgNet(async () => {
    let id = "";
    await own.sql.begin(async (transaction) => {
      const headers = { apikey: "sb_secret_x" };
      const [queued] = await transaction<{ id: string }[]>`
        select net.http_post(${`${target.url}/hook`}, '{"n": 1}', '{"a b": "ä&"}', ${
        transaction.json(headers)
      }) as id`;
      id = queued!.id;
      await transaction`select pg_sleep(0.1)`;
      assertEquals(target.seen, []);
    });
    const answer = await responseOf(own.sql, id);
    assertEquals(target.seen, [{ method: "POST", path: "/hook?a%20b=%C3%A4%26", body: '{"n": 1}' }]);
    assertEquals([answer.status_code, answer.timed_out, answer.error_msg], [202, false, null]);
    assertEquals(JSON.parse(answer.content), { key: "sb_secret_x" });
    assertMatch(answer.content_type, /^application\/json/);
    assertEquals((await own.sql`select * from net.http_request_queue`).length, 0);
  });
});

Deno.test("net.http_post() of a transaction that is rolled back is never sent", async () => {
  await using own = await open();
  await using target = startTarget();
  await withPgNet(async () => {
    await assertRejects(() =>
      own.sql.begin(async (transaction) => {
        await transaction`select net.http_post(${`${target.url}/rolled-back`})`;
        throw new Error("no");
      })
    );
    const [{ id }] = await own.sql<[{ id: string }]>`select net.http_get(${`${target.url}/later`}) as id`;
    await responseOf(own.sql, id);
    assertEquals(target.seen.map(({ path }) => path), ["/later"]);
  });
});

Deno.test("the worker of pg_net records timeouts and failures and does not try again", async () => {
  await using own = await open();
  await using target = startTarget();
  await withPgNet(async () => {
    const [{ slow, gone }] = await own.sql<[{ slow: string; gone: string }]>`
      select net.http_delete(${`${target.url}/slow`}, timeout_milliseconds => 50) as slow,
        net.http_get('http://127.0.0.1:1/') as gone`;
    const late = await responseOf(own.sql, slow);
    assertEquals([late.status_code, late.timed_out, late.error_msg], [
      null,
      true,
      "Timeout of 50 ms reached",
    ]);
    const failed = await responseOf(own.sql, gone);
    assertEquals([failed.status_code, failed.timed_out], [null, false]);
    assert(failed.error_msg.length > 0);
    assertEquals(target.seen.length, 1);
  });
});

Deno.test("the worker of pg_net sends at its start what was queued without it", async () => {
  await using own = await open();
  await using target = startTarget();
  const rows = await own.sql<{ id: string }[]>`
    select net.http_get(${target.url} || '/' || i) as id from generate_series(1, 450) as i`;
  await withPgNet(async () => {
    await responseOf(own.sql, rows.at(-1)!.id);
    assertEquals(target.seen.length, 450);
  });
});

Deno.test("net.http_post() refuses another content type than JSON", async () => {
  await using own = await open();
  await assertRejects(
    () => own.sql`select net.http_post('http://127.0.0.1:1', headers => '{"content-type": "text/plain"}')`,
    Error,
    "Content-Type",
  );
});

Deno.test("cron.schedule() runs a job again and again as the one who scheduled it", async () => {
  await using own = await open();
  const { sql } = own;
  await sql`create table if not exists public.ticks (by text)`;
  const cron = await startPgCron({ adminUrl: database.url("supabase_admin") });
  try {
    const [{ id }] = await sql<[{ id: string }]>`
      select cron.schedule('tick', '1 seconds', 'insert into public.ticks values (current_user)') as id`;
    await eventually(async () => (await sql`select from public.ticks`).length >= 2 ? true : undefined);
    const run = await eventually(async () =>
      (await sql`select * from cron.job_run_details where jobid = ${id} and status = 'succeeded'`)[0]
    );
    assertEquals([run.username, run.database, run.return_message], ["postgres", "postgres", "INSERT 0 1"]);
    assert(run.job_pid > 0 && run.end_time >= run.start_time);
    assertEquals([...await sql`select distinct by from public.ticks`], [{ by: "postgres" }]);

    const [same] = await sql`select cron.schedule('tick', '59 seconds', 'select 1') as id`;
    assertEquals(same!.id, id);
    await sql`select cron.unschedule('tick')`;
    assertEquals((await sql`select from cron.job`).length, 0);
    await assertRejects(() => sql`select cron.unschedule('tick')`, Error, "could not find valid entry");
  } finally {
    await cron.stop();
  }
});

Deno.test("cron.schedule() records what went wrong, and never runs a job beside itself", async () => {
  await using own = await open();
  const { sql } = own;
  await sql`create table if not exists public.overlaps (n int)`;
  const cron = await startPgCron({ adminUrl: database.url("supabase_admin") });
  try {
    await sql`select cron.schedule('wrong', '1 seconds', 'select 1/0')`;
    const beside = `
      insert into public.overlaps
        select count(*) from pg_stat_activity where application_name = 'pg_cron' and query like '%overlaps%';
      select pg_sleep(1.5)`;
    await sql`select cron.schedule('slow', '1 seconds', ${beside})`;
    const failed = await eventually(async () =>
      (await sql`select * from cron.job_run_details where status = 'failed' and command = 'select 1/0'`)[0]
    );
    assertEquals(failed.return_message, "ERROR:  division by zero");
    await eventually(async () => (await sql`select from public.overlaps`).length >= 2 ? true : undefined);
    assertEquals([...await sql`select distinct n from public.overlaps`], [{ n: 1 }]);
  } finally {
    await cron.stop();
    await sql`select cron.unschedule(jobname) from cron.job`;
  }
});

Deno.test("cron.job may be read by postgres, and changed only through its functions", async () => {
  await using own = await open();
  const { sql } = own;
  const [{ id }] = await sql<[{ id: string }]>`select cron.schedule('0 3 $ * *', 'select 1') as id`;
  await assertRejects(() => sql`update cron.job set active = false`, Error, "permission denied");
  await sql`select cron.alter_job(${id}, active => false, schedule => '*/5 8-17 * jan-mar mon')`;
  assertEquals([...await sql`select schedule, active from cron.job where jobid = ${id}`], [
    { schedule: "*/5 8-17 * jan-mar mon", active: false },
  ]);
  await assertRejects(
    () => sql`select cron.alter_job(${id}, username => 'supabase_admin')`,
    Error,
    "superuser",
  );
  await sql`select cron.unschedule(${id}::bigint)`;
  for (const wrong of ["60 seconds", "0 seconds", "* * * *", "every minute", "* * * * * *"]) {
    await assertRejects(
      () => sql`select cron.schedule(${wrong}, 'select 1')`,
      Error,
      "invalid schedule",
      wrong,
    );
  }
});

Deno.test("vault.create_secret() keeps a secret that the table alone does not tell", async () => {
  await using own = await open();
  const { sql } = own;
  const [{ id }] = await sql<[{ id: string }]>`
    select vault.create_secret('s3cret ä', 'key', 'for tests') as id`;
  const [stored] = await sql`select secret from vault.secrets where id = ${id}`;
  assertNotEquals(stored!.secret, "s3cret ä");
  const read = () => sql`select name, decrypted_secret from vault.decrypted_secrets where id = ${id}`;
  assertEquals([...await read()], [{ name: "key", decrypted_secret: "s3cret ä" }]);
  await sql`select vault.update_secret(${id}, new_name => 'renamed')`;
  await sql`select vault.update_secret(${id}, 'other')`;
  assertEquals([...await read()], [{ name: "renamed", decrypted_secret: "other" }]);
  await assertRejects(() => sql`select vault.create_secret('x', 'renamed')`, Error, "duplicate key");
});

Deno.test("vault.decrypted_secrets opens for postgres and service_role alone", async () => {
  await using own = await open();
  const { sql } = own;
  for (const role of ["anon", "authenticated"]) {
    await assertRejects(
      () =>
        sql.begin(async (transaction) => {
          await transaction`select set_config('role', ${role}, true)`;
          await transaction`select decrypted_secret from vault.decrypted_secrets`;
        }),
      Error,
      "permission denied",
    );
  }
  await sql.begin(async (transaction) => {
    await transaction`set local role service_role`;
    await transaction`select decrypted_secret from vault.decrypted_secrets`;
    await transaction`select vault.create_secret('y', 'of service_role')`;
  });
});
