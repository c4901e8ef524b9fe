/**
 * Where an import is measured: a local stack of its own, durable, with the hosted limits and stock settings of Postgres;
 * the bench's tables and datasets; a person who owns an organization with a project to import into, and a project beside
 * it whose rows are in the targets already. All of it is gone after `close()`.
 */
import { fromFileUrl, join } from "@std/path";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { type Stack, startStack } from "../../local/stack.ts";
import type { Job } from "../../shared/jobs/job.ts";
import { AREAS, COLUMNS, DRAWINGS, makeFile } from "./make_file.ts";

export interface Site {
  stack: Stack;
  /** The database as superuser. */
  admin: postgres.Sql;
  /** The client of the person who imports. */
  person: SupabaseClient;
  token: string;
  userId: string;
  orgId: string;
  /** Where the imported rows go. */
  projectId: string;
  /** Has rows in the targets already. */
  otherProjectId: string;
  /** A folder for files, which the server of the database can read too. */
  dir: string;
  /** Puts a file into Storage and answers its path there. */
  upload(path: string): Promise<string>;
  /** Calls a function and waits until its job has ended well; sees it within 10 ms. */
  runJob(name: "import" | "import-commit" | "export", body: Record<string, unknown>): Promise<FinishedJob>;
  close(): Promise<void>;
}

export type FinishedJob = Pick<Job, "id" | "state" | "error"> & { result: Record<string, unknown> };

const POLL_MS = 10;
const WARM_UP_ROWS = 500;

export async function openSite(): Promise<Site> {
  await using opening = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "longshore-bench-" });
  opening.defer(() => Deno.remove(dir, { recursive: true }));
  // The database runs as a user of its own where the bench runs as root.
  await Deno.chmod(dir, 0o755);

  const stack = await startStack({
    port: 0,
    dataDir: join(dir, "stack"),
    configPath: fromFileUrl(new URL("../config.toml", import.meta.url)),
  });
  opening.defer(() => stack.stop());
  const admin = postgres(stack.adminUrl, { onnotice() {}, max: 4 });
  opening.defer(() => admin.end());
  await admin.unsafe(await Deno.readTextFile(new URL("tables.sql", import.meta.url)));

  const person = createClient(stack.url, stack.publishableKey, { auth: { persistSession: false } });
  opening.defer(() => person.removeAllChannels().then(() => person.auth.stopAutoRefresh()));
  const signedUp = await person.auth.signUp({
    email: "importer@bench.example",
    password: crypto.randomUUID(),
  });
  const session = signedUp.data.session;
  if (!session) throw new Error("Cannot sign the importer up", { cause: signedUp.error });
  const organization = await person.rpc("create_organization", { p_name: "Bench" }).throwOnError();
  const orgId: string = organization.data.id;
  const projectId = await makeProject(person, { orgId, name: "Imported" });
  const otherProjectId = await makeProject(person, { orgId, name: "There before" });

  const site: Omit<Site, "close"> = {
    stack,
    admin,
    person,
    token: session.access_token,
    userId: session.user.id,
    orgId,
    projectId,
    otherProjectId,
    dir,
    async upload(path) {
      const to = `${orgId}/bench/${crypto.randomUUID()}.csv`;
      const file = new Blob([await Deno.readFile(path)], { type: "text/csv" });
      const { error } = await person.storage.from("imports").upload(to, file);
      if (error) throw error;
      return to;
    },
    runJob: (name, body) => runJob(site, { name, body }),
  };
  await admin`
    insert into public.bench_areas (project_id, name)
    select ${projectId}, 'A-' || n from generate_series(0, ${AREAS - 1}) n`;
  await admin`
    insert into pipetrak.drawings (project_id, number)
    select p, 'ISO-' || n from unnest(${[
    projectId,
    otherProjectId,
  ]}::uuid[]) p, generate_series(1, ${DRAWINGS}) n`;
  // The peers know nothing of projects.
  await admin.unsafe(`alter table public.bench_rows alter column project_id set default '${projectId}'`);
  await warmUp(site);

  const open = opening.move();
  return { ...site, close: () => open.disposeAsync() };
}

async function makeProject(
  person: SupabaseClient,
  { orgId, name }: { orgId: string; name: string },
): Promise<string> {
  const made = await person.schema("pipetrak").from("projects").insert({ org_id: orgId, name }).select("id")
    .single().throwOnError();
  return made.data.id;
}

/** Functions that have run before: what their first call costs is no part of a figure. */
async function warmUp(site: Omit<Site, "close">): Promise<void> {
  const file = join(site.dir, "warm_up.csv");
  await makeFile(file, { rows: WARM_UP_ROWS });
  const check = await site.runJob("import", {
    dataset: "bench.rows",
    scope: { project_id: site.projectId },
    file: { bucket: "imports", path: await site.upload(file) },
    options: { columns: Object.fromEntries(COLUMNS.map((column) => [column, column])) },
  });
  await site.runJob("import-commit", { import_id: check.id });
}

async function runJob(
  { stack, admin, token }: Pick<Site, "stack" | "admin" | "token">,
  { name, body }: { name: string; body: Record<string, unknown> },
): Promise<FinishedJob> {
  const response = await fetch(`${stack.url}/functions/v1/${name}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      apikey: stack.publishableKey,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.status !== 202) throw new Error(`Cannot start "${name}": ${JSON.stringify(answer)}`);
  while (true) {
    const [job] = await admin<FinishedJob[]>`
      select id, state, error, result from jobs.jobs where id = ${answer.job.id}`;
    if (!job) throw new Error(`Cannot find the job of "${name}"`);
    if (job.state === "succeeded") return job;
    if (job.state === "failed" || job.state === "cancelled") {
      throw new Error(`Cannot finish "${name}": ${JSON.stringify(job.error)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
