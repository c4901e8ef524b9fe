/**
 * Every migration can be taken back: all of them newest first, on a database in use, which leaves what was there before;
 * and applied again, which leaves what they left the first time.
 */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import postgres from "postgres";
import { migrate } from "../../local/migrate.ts";
import { installPgExtensions } from "../../local/pg_extensions.ts";
import { installPlatform } from "../../local/platform.ts";
import { startPostgres } from "../../local/postgres.ts";

const MIGRATIONS = fromFileUrl(new URL("../../supabase/migrations", import.meta.url));
const ROLLBACKS = fromFileUrl(new URL("../../supabase/rollbacks", import.meta.url));

Deno.test("rollbacks: each migration has one of its name", async () => {
  assertEquals(await names(ROLLBACKS), await names(MIGRATIONS));
});

Deno.test("rollbacks take everything back, newest first, and the migrations apply again", async () => {
  const dir = await Deno.makeTempDir({ prefix: "longshore_rollback_" });
  await Deno.chmod(dir, 0o755);
  const database = await startPostgres({ dataDir: join(dir, "db"), durable: false });
  const adminUrl = database.url("supabase_admin");
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {}, prepare: false });
  try {
    await installPgExtensions(database.installDir);
    await installPlatform(adminUrl);
    // Extensions stay: whoever rolls back may have had them before.
    await sql.unsafe(`create extension fuzzystrmatch with schema extensions`);
    const before = await describe(sql);

    await migrate({ adminUrl, dir: MIGRATIONS });
    const applied = await describe(sql);
    assert(applied.length > before.length);
    await use(sql);

    const undo = join(dir, "undo");
    await Deno.mkdir(undo);
    for (const [place, name] of (await names(ROLLBACKS)).reverse().entries()) {
      const version = String(place + 1).padStart(14, "0");
      await Deno.copyFile(join(ROLLBACKS, name), join(undo, `${version}_${name}`));
    }
    await migrate({ adminUrl, dir: undo });
    assertEquals(await describe(sql), before);

    await sql`truncate supabase_migrations.schema_migrations`;
    await migrate({ adminUrl, dir: MIGRATIONS });
    assertEquals(await describe(sql), applied);
  } finally {
    await sql.end();
    await database.stop();
    await Deno.remove(dir, { recursive: true });
  }
});

async function names(dir: string): Promise<string[]> {
  const found = [];
  for await (const entry of Deno.readDir(dir)) if (entry.name.endsWith(".sql")) found.push(entry.name);
  return found.sort();
}

/** A person, an organization, a finished check with staged rows, a commit of it and a project. */
async function use(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    insert into auth.users (id, email, aud, role, raw_app_meta_data, raw_user_meta_data)
    values ('00000000-0000-4000-8000-000000000001', 'ann@example.test', 'authenticated', 'authenticated', '{}', '{}');
    insert into public.organizations (id, name) values ('00000000-0000-4000-8000-000000000002', 'Yard');
    insert into public.memberships (org_id, user_id, role)
    values ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 'owner');
    insert into pipetrak.projects (org_id, name) values ('00000000-0000-4000-8000-000000000002', 'Hull');
    insert into jobs.jobs (id, kind, org_id, owner_id, state, result, finished_at)
    values ('00000000-0000-4000-8000-000000000003', 'import_check', '00000000-0000-4000-8000-000000000002',
      '00000000-0000-4000-8000-000000000001', 'succeeded', '{}', now());
    insert into jobs_private.job_state (job_id, function_name, owner_id, staging_until)
    values ('00000000-0000-4000-8000-000000000003', 'import', '00000000-0000-4000-8000-000000000001', now());
    insert into jobs.jobs (kind, org_id, owner_id, parent_id)
    values ('import_commit', '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001',
      '00000000-0000-4000-8000-000000000003');
    insert into jobs.import_problems (job_id, row, code, message)
    values ('00000000-0000-4000-8000-000000000003', 2, 'required', 'Tag is required');
    set role postgres;
    select jobs_private.take_slot('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000001');
    reset role;
    insert into jobs_staging.rows_1 (row_number, c1) values (2, 'P-1');
  `);
}

/**
 * One line for every object that is no extension's and not the system's, with its definition, owner, rights and comment;
 * roles, schedules and buckets too.
 */
async function describe(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with schemas as (
      select oid, nspname from pg_namespace
      where nspname !~ '^(pg_|information_schema$|supabase_migrations$)'
    )
    select line from (
      select format('schema %s %s %s %s', n.nspname, nspowner::regrole, nspacl, obj_description(n.oid, 'pg_namespace')) as line
      from schemas join pg_namespace n using (oid)
      union all
      select format('%s %s %s %s %s %s %s %s', relkind, c.oid::regclass, relowner::regrole, relacl, relrowsecurity, reloptions,
        obj_description(c.oid, 'pg_class'), case when relkind in ('i', 'I') then pg_get_indexdef(c.oid) when relkind = 'v' then pg_get_viewdef(c.oid) end)
      from pg_class c join schemas n on n.oid = relnamespace
      where relkind <> 't' and c.oid::regclass::text !~ '^pg_toast'
      union all
      select format('column %s %s %s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attacl,
        coalesce(pg_get_expr(adbin, adrelid), '') || coalesce(col_description(attrelid, attnum), ''))
      from pg_attribute join pg_class c on c.oid = attrelid join schemas n on n.oid = relnamespace
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attnum > 0 and not attisdropped
      union all
      select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(k.oid))
      from pg_constraint k join schemas n on n.oid = connamespace
      union all
      select format('function %s %s %s %s %s %s', p.oid::regprocedure, proowner::regrole, proacl, prosecdef, md5(pg_get_functiondef(p.oid)),
        obj_description(p.oid, 'pg_proc'))
      from pg_proc p join schemas n on n.oid = pronamespace where prokind in ('f', 'p')
      union all
      select format('trigger %s', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
      union all
      select format('policy %s', to_jsonb(p)) from pg_policies p
      union all
      select format('type %s %s', t.oid::regtype, typacl) from pg_type t join schemas n on n.oid = typnamespace where typelem = 0
      union all
      select format('role %s %s %s', rolname, rolconfig, (
        select array_agg(roleid::regrole order by roleid::regrole::text) from pg_auth_members where member = r.oid))
      from pg_roles r where rolname !~ '^pg_'
      union all
      select format('schedule %s %s %s', jobname, schedule, command) from cron.job
      union all
      select format('bucket %s', to_jsonb(b) - 'created_at' - 'updated_at') from storage.buckets b
    ) lines
    order by line collate "C"`;
  return rows.map(({ line }) => line);
}
