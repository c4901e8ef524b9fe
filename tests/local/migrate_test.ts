import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import postgres from "postgres";
import { migrate } from "../../local/migrate.ts";
import { testStack } from "../helpers/stack.ts";

// A database beside the stack's own: migrations leave something behind.
const { adminUrl } = await testStack();
const name = `migrate_${crypto.randomUUID().slice(0, 8)}`;
const admin = postgres(adminUrl, { max: 1 });
await admin.unsafe(`create database ${name} owner postgres`);
const url = adminUrl.replace(/\/postgres$/, `/${name}`);
const sql = postgres(url, { max: 1, onnotice: () => {} });
await sql.unsafe(`
  create schema extensions authorization postgres;
  create schema storage;
  create table storage.objects (id int);
  create table storage.migrations (id int);
  alter table storage.objects enable row level security;
`);
Deno.test.afterAll(async () => {
  await sql.end();
  await admin.unsafe(`drop database ${name} with (force)`);
  await admin.end();
});

async function withFiles<T>(files: Record<string, string>, run: (dir: string) => Promise<T>): Promise<T> {
  const dir = await Deno.makeTempDir();
  try {
    for (const [file, text] of Object.entries(files)) await Deno.writeTextFile(join(dir, file), text);
    return await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("migrate() applies files in order, once, as postgres, and records them", async () => {
  await withFiles({
    "2_second.sql": "insert into public.notes select session_user, current_user;",
    "1_first.sql": "create table public.notes (session_name text, user_name text);",
    "readme.md": "no migration",
  }, async (dir) => {
    assertEquals(await migrate({ adminUrl: url, dir }), ["1", "2"]);
    assertEquals(await migrate({ adminUrl: url, dir }), []);
  });
  const [note] = await sql`select * from public.notes`;
  assertEquals({ ...note }, { session_name: "postgres", user_name: "postgres" });
  const recorded = await sql`
    select version, name, statements from supabase_migrations.schema_migrations where version = '2'`;
  assertEquals(recorded[0]?.name, "second");
  assertEquals(recorded[0]?.statements, ["insert into public.notes select session_user, current_user"]);
});

Deno.test("migrate() refuses a database that has another wording of a migration", async () => {
  await withFiles({ "5_fifth.sql": "create table public.fifth (a int);" }, async (dir) => {
    assertEquals(await migrate({ adminUrl: url, dir }), ["5"]);
    await Deno.writeTextFile(join(dir, "5_fifth.sql"), "create table public.fifth (a int, b int);");
    await Deno.writeTextFile(join(dir, "6_sixth.sql"), "create table public.sixth ();");
    const refusal = await assertRejects(() => migrate({ adminUrl: url, dir }), Error);
    assertStringIncludes(refusal.message, '"5_fifth" has changed since it was applied');
  });
  assertEquals((await sql`select from pg_tables where tablename = 'sixth'`).length, 0);
});

Deno.test("migrate() lets postgres make policies for Storage, and nothing else there", async () => {
  await withFiles({
    "11_policy.sql": `-- Why.
      create policy "mine; all" on storage.objects for select using (true);
      create table public.made_after ();`,
  }, async (dir) => assertEquals(await migrate({ adminUrl: url, dir }), ["11"]));
  const [policy] = await sql`select count(*)::int as n from pg_policies where policyname = 'mine; all'`;
  assertEquals(policy?.n, 1);
  const [owner] = await sql`select tableowner from pg_tables where tablename = 'made_after'`;
  assertEquals(owner?.tableowner, "postgres");

  for (
    const statement of [
      "alter table storage.objects disable row level security",
      "create policy p on storage.migrations for select using (true)",
      // Refused on a hosted project too: a comment is the table owner's.
      `comment on policy "mine; all" on storage.objects is 'Everything'`,
    ]
  ) {
    await withFiles({ "12_more.sql": statement }, async (dir) => {
      await assertRejects(() => migrate({ adminUrl: url, dir }), Error, "12_more");
    });
  }
});

Deno.test("migrate() leaves nothing of a file that fails, and says where", async () => {
  await withFiles({ "21_half.sql": "create table public.half (); select 1 / 0;" }, async (dir) => {
    await assertRejects(() => migrate({ adminUrl: url, dir }), Error, `"21_half": division by zero (22012)`);
  });
  const [half] = await sql`select to_regclass('public.half') as found`;
  assertEquals(half?.found, null);
});
