/**
 * One person's project to import into, through the API as an app does it. In: a stack. Out: verbs that upload, check,
 * commit and look, each followed to its end. Everything is made new, so that tests count only what is theirs.
 */
import { fromFileUrl } from "@std/path";
import postgres from "postgres";
import type { Stack } from "../../local/stack.ts";
import type { Job } from "../../shared/jobs/mod.ts";
import { type Person, signUp } from "./people.ts";
import { ownStack, type TestStack } from "./stack.ts";

/** What the tests read of a problem. */
export interface Problem {
  row: number;
  line: number | null;
  sheet: string | null;
  cell: string | null;
  column: string | null;
  heading: string | null;
  code: string;
  message: string;
  value: string | null;
}

export interface CheckRequest {
  /** The file's name. @default "rows.csv" */
  name?: string;
  /** @default "pipetrak.components" */
  dataset?: string;
  scope?: Record<string, unknown>;
  options?: Record<string, unknown>;
}

export interface CommitRequest {
  policy?: "all_or_nothing" | "valid_rows" | "stop_after";
  stop_after?: number;
}

/** The answer of a function, read. */
export interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any
  body: any;
}

export interface Outcome {
  job: Job;
  problems: Problem[];
}

export interface Importer extends AsyncDisposable {
  stack: TestStack;
  person: Person;
  orgId: string;
  projectId: string;
  /** The database as superuser. */
  admin: postgres.Sql;
  upload(body: string | Uint8Array, name?: string): Promise<{ bucket: string; path: string }>;
  /** The body of a request for a check of a file that is uploaded here. */
  request(body: string | Uint8Array, request?: CheckRequest): Promise<Record<string, unknown>>;
  /** Checks a file, to the end. */
  check(body: string | Uint8Array, request?: CheckRequest): Promise<Outcome>;
  /** Commits a check, to the end. */
  commit(check: Outcome, request?: CommitRequest): Promise<Outcome>;
  /** Waits for the end of a job. */
  follow(jobId: string): Promise<Outcome>;
  problemsFile(check: Outcome): Promise<string>;
  /** The project's components without ids and times, by tag. */
  components(): Promise<Record<string, unknown>[]>;
  /** The same project for a colleague. */
  as(colleague: Person): Importer;
  /** Changes the engine's settings; only on a stack of the test's own. */
  set(settings: Record<string, number>): Promise<void>;
}

export async function importer(
  stack: TestStack,
  { drawings = ["D-1", "D-2"] }: { drawings?: string[] } = {},
): Promise<Importer> {
  const admin = postgres(stack.adminUrl, { max: 3, onnotice: () => {}, prepare: false });
  const person = await signUp(stack, "importer");
  const { client } = person;
  const org = await client.rpc("create_organization", { p_name: "Imports" }).throwOnError();
  const orgId: string = org.data.id;
  const pipetrak = client.schema("pipetrak");
  const project = await pipetrak.from("projects").insert({ org_id: orgId, name: "Imports" }).select().single()
    .throwOnError();
  const projectId: string = project.data.id;
  await pipetrak.from("drawings").insert(drawings.map((number) => ({ project_id: projectId, number })))
    .throwOnError();

  return verbs({ stack, person, orgId, projectId, admin });
}

/** What a person can do in a project. */
function verbs(own: Pick<Importer, "stack" | "person" | "orgId" | "projectId" | "admin">): Importer {
  const { stack, person, orgId, projectId, admin } = own;
  const { client } = person;
  const upload: Importer["upload"] = async (body, name = "rows.csv") => {
    const path = `${orgId}/${crypto.randomUUID()}/${name}`;
    const { error } = await client.storage.from("imports").upload(path, new Blob([body as BlobPart]), {
      contentType: "application/octet-stream",
    });
    if (error) throw error;
    return { bucket: "imports", path };
  };
  const request: Importer["request"] = async (body, { name, dataset, scope, options } = {}) => ({
    dataset: dataset ?? "pipetrak.components",
    scope: scope ?? { project_id: projectId },
    file: await upload(body, name),
    ...(options ? { options } : {}),
  });
  const follow: Importer["follow"] = async (jobId) => {
    const job = await ended(person, jobId);
    const { data } = await client.schema("jobs").from("import_problems")
      .select("row, line, sheet, cell, column, heading, code, message, value")
      .eq("job_id", jobId).order("row").order("column", { nullsFirst: false }).order("code").throwOnError();
    return { job, problems: data as Problem[] };
  };
  return {
    ...own,
    upload,
    request,
    follow,
    as: (colleague) => verbs({ ...own, person: colleague }),
    async check(body, options) {
      return await follow((await begin(stack, person, "import", await request(body, options))).id);
    },
    async commit({ job }, options = {}) {
      return await follow(
        (await begin(stack, person, "import-commit", { import_id: job.id, ...options })).id,
      );
    },
    async problemsFile({ job }) {
      const { bucket, path } = job.result?.problems_file as { bucket: string; path: string };
      const { data, error } = await client.storage.from(bucket).download(path);
      if (error) throw error;
      // text() would take the byte order mark away.
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await data.arrayBuffer());
    },
    async components() {
      return await admin`
        select c.tag, c.description, c.component_type as type, d.number as drawing, c.area, c.system,
          c.test_package, c.spec, c.size, c.quantity::text, c.weight_kg::text
        from pipetrak.components c join pipetrak.drawings d on d.id = c.drawing_id
        where c.project_id = ${projectId} order by c.tag collate "C"`;
    },
    async set(settings) {
      await admin`update jobs.settings set ${admin(settings)}`;
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
    },
  };
}

/** A stack whose `import` knows the tests' own datasets too, with their tables. */
export async function labStack(): Promise<Stack> {
  const stack = await ownStack({
    configPath: fromFileUrl(new URL("../imports.config.toml", import.meta.url)),
  });
  const sql = postgres(stack.dbUrl, { max: 1, onnotice: () => {} });
  await sql.unsafe(await Deno.readTextFile(new URL("../fixtures/imports/tables.sql", import.meta.url)));
  await sql.end();
  return stack;
}

/** Posts to a function as a person. */
export async function post(
  { stack, person }: { stack: TestStack; person: Person },
  name: string,
  { body, headers = {} }: { body: unknown; headers?: Record<string, string> },
): Promise<Answer> {
  const form = body instanceof FormData;
  const response = await fetch(`${stack.url}/functions/v1/${name}`, {
    method: "POST",
    headers: {
      apikey: stack.publishableKey,
      authorization: `Bearer ${person.accessToken}`,
      ...(form ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body: form ? body : typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
}

/** The same through supabase-js, for what has to succeed. */
async function begin(stack: TestStack, person: Person, name: string, body: unknown): Promise<Job> {
  const answer = await post({ stack, person }, name, { body });
  if (answer.status === 202) return answer.body.job;
  throw new Error(`Cannot start a job: found ${answer.status} ${JSON.stringify(answer.body)}`);
}

async function ended({ client }: Person, id: string): Promise<Job> {
  for (const deadline = performance.now() + 30_000;;) {
    const { data } = await client.schema("jobs").from("jobs").select().eq("id", id).single().throwOnError();
    const job = data as Job;
    if (["succeeded", "failed", "cancelled"].includes(job.state)) return job;
    if (performance.now() > deadline) {
      throw new Error(
        `Cannot wait any longer: found the job ${job.state} at ${JSON.stringify(job.progress)}`,
      );
    }
    await new Promise((go) => setTimeout(go, 15));
  }
}
