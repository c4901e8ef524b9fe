/**
 * A view to refresh that belongs to one test, and an organization that it concerns. In: the stack. Out: ways to change
 * the numbers behind the view, to hold its refresh at the gate, to break its query, and to ask for a refresh by HTTP.
 */
import postgres from "postgres";
import type { Job } from "../../shared/jobs/mod.ts";
import type { TestStack } from "./stack.ts";
import { type Person, signUp } from "./people.ts";

export interface RefreshLab extends AsyncDisposable {
  /** The registered name. */
  view: string;
  orgId: string;
  /** Owner of the organization. */
  owner: Person;
  /** The database as superuser. */
  admin: postgres.Sql;
  /** Somebody new in the organization. */
  join(role: "admin" | "member" | "viewer"): Promise<Person>;
  /** Writes a number that the view counts once it is refreshed. */
  write(): Promise<void>;
  /** What a reader of the view sees; never waits. */
  read(): Promise<number>;
  setBroken(broken: boolean): Promise<void>;
  /** Lets no refresh come to an end until it is opened again. */
  closeGate(): Promise<{ open(): Promise<void> }>;
  /** Resolves when a refresh waits at the gate. */
  untilAtGate(): Promise<void>;
  /** POST refresh-metrics; `null` asks as the system, "nobody" with the publishable key only. */
  post(person: Person | null | "nobody", body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Asks for a refresh and expects a job. */
  start(person: Person | null, headers?: Record<string, string>): Promise<Job>;
  job(id: string): Promise<Job>;
  /** The job when it has ended. */
  ended(id: string): Promise<Job>;
  until(condition: () => Promise<boolean>): Promise<void>;
}

export interface RefreshLabOptions {
  /** Whether the view has numbers from the start. @default true */
  populated?: boolean;
}

const PATIENCE_MS = 30_000;

export async function refreshLab(
  stack: TestStack,
  { populated = true }: RefreshLabOptions = {},
): Promise<RefreshLab> {
  const admin = postgres(stack.adminUrl, { max: 4, onnotice: () => {}, prepare: false });
  const name = `counts_${crypto.randomUUID().slice(0, 8)}`;
  const view = `tests_refresh.${name}`;
  const key = Math.floor(Math.random() * 2 ** 31);
  const owner = await signUp(stack, "owner");
  const { data: org, error } = await owner.client.rpc("create_organization", { p_name: "Refreshes" });
  if (error) throw error;
  await admin.unsafe(`
    create schema if not exists tests_refresh authorization postgres;
    set role postgres;
    create table tests_refresh.${name}_numbers (n integer primary key generated always as identity);
    create table tests_refresh.${name}_state (broken boolean not null);
    insert into tests_refresh.${name}_state values (false);
    create function tests_refresh.${name}_gate() returns integer language plpgsql as $$
    begin
      perform pg_advisory_xact_lock_shared(${key});
      return 1 / case when (select broken from tests_refresh.${name}_state) then 0 else 1 end;
    end
    $$;
    create materialized view ${view} as
      select 1 as id, count(*)::integer as numbers, tests_refresh.${name}_gate() as open
      from tests_refresh.${name}_numbers ${populated ? "" : "with no data"};
    create unique index on ${view} (id);
    create function tests_refresh.${name}_orgs() returns setof uuid language sql stable as
      $$ select o from public.admin_orgs() o where o = '${org.id}' $$;
    insert into jobs.refreshable_views (view) values ('${view}');
    insert into jobs_private.view_sources values ('${view}', '${view}', 'tests_refresh.${name}_orgs');
    reset role;
  `);

  const closed = new Set<() => Promise<void>>();
  const until = async (condition: () => Promise<boolean>) => {
    const deadline = performance.now() + PATIENCE_MS;
    while (!await condition()) {
      if (performance.now() > deadline) {
        throw new Error("Cannot wait any longer: the condition does not come true");
      }
      await new Promise((go) => setTimeout(go, 20));
    }
  };
  const lab: RefreshLab = {
    view,
    orgId: org.id,
    owner,
    admin,
    until,
    async join(role) {
      const person = await signUp(stack, role);
      const { error } = await owner.client.rpc("add_member", {
        p_org_id: org.id,
        p_email: person.email,
        p_role: role,
      });
      if (error) throw error;
      return person;
    },
    async write() {
      await admin.unsafe(`insert into tests_refresh.${name}_numbers default values`);
    },
    async read() {
      const [row] = await admin.begin(async (sql) => {
        await sql`set local lock_timeout = '1ms'`;
        return await sql.unsafe<{ numbers: number }[]>(`select numbers from ${view}`);
      });
      return row?.numbers ?? NaN;
    },
    async setBroken(broken) {
      await admin.unsafe(`update tests_refresh.${name}_state set broken = ${broken}`);
    },
    async closeGate() {
      const session = await admin.reserve();
      await session`select pg_advisory_lock(${key})`;
      const open = async () => {
        if (!closed.delete(open)) return;
        await session`select pg_advisory_unlock(${key})`;
        session.release();
      };
      closed.add(open);
      return { open };
    },
    untilAtGate: () =>
      until(async () => {
        const [row] = await admin<{ waits: boolean }[]>`
          select exists (
            select from pg_locks where locktype = 'advisory' and objid = ${key} and not granted
          ) as waits`;
        return row!.waits;
      }),
    async post(person, body, headers = {}) {
      const credentials: Record<string, string> = person === null
        ? { apikey: stack.secretKey }
        : person === "nobody"
        ? { apikey: stack.publishableKey }
        : { apikey: stack.publishableKey, authorization: `Bearer ${person.accessToken}` };
      return await fetch(`${stack.url}/functions/v1/refresh-metrics`, {
        method: "POST",
        headers: { "content-type": "application/json", ...credentials, ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    },
    async start(person, headers) {
      const response = await lab.post(person, { view }, headers);
      const body = await response.json();
      if (response.status !== 202) throw new Error(`Cannot start: found ${JSON.stringify(body)}`);
      return body.job;
    },
    async job(id) {
      const [row] = await admin<
        { job: Job }[]
      >`select to_jsonb(j) as job from jobs.jobs j where j.id = ${id}`;
      if (!row) throw new Error(`Cannot find the job "${id}"`);
      return row.job;
    },
    async ended(id) {
      await until(async () => (await lab.job(id)).finished_at !== null);
      return await lab.job(id);
    },
    async [Symbol.asyncDispose]() {
      // A test that fails may leave its gate closed.
      for (const open of closed) await open();
      await admin`delete from jobs.jobs where kind = 'refresh' and params ->> 'view' = ${view}`;
      await admin`delete from jobs.refreshable_views where view = ${view}`;
      await admin.end();
    },
  };
  return lab;
}
