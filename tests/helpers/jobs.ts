/**
 * Jobs for the tests, of a kind that no Edge Function answers to: nobody but the test runs them. In: the stack. Out: a
 * person with an organization, and ways to start that person's jobs and to look at them past every policy.
 */
import postgres from "postgres";
import type { Job, JobKind } from "../../shared/jobs/mod.ts";
import { type Person, signUp } from "./people.ts";
import type { TestStack } from "./stack.ts";

/** A kind that only tests know. */
export const TEST_KIND = "test" as JobKind;

export interface JobMaker extends AsyncDisposable {
  person: Person;
  orgId: string;
  /** The database as superuser. */
  admin: postgres.Sql;
  /** Starts a job through the API and returns its id. */
  enqueue(options?: EnqueueOptions): Promise<string>;
  job(id: string): Promise<Job>;
  /** Makes the lease of a job run out and has it recovered and due, as time and the tick would. */
  loseLease(id: string): Promise<void>;
}

export interface EnqueueOptions {
  file?: { bucket: string; path: string };
  idempotencyKey?: string;
  requestHash?: string;
}

export async function jobMaker(stack: TestStack): Promise<JobMaker> {
  const admin = postgres(stack.adminUrl, { max: 2, onnotice: () => {}, prepare: false });
  await admin`
    insert into jobs_private.kinds (kind, function_name) values (${TEST_KIND}, 'no-such-function') on conflict do nothing`;
  await admin.unsafe(`
    create schema if not exists tests_jobs;
    grant usage on schema tests_jobs to authenticated;
    create table if not exists tests_jobs.rows (job_id uuid not null, row integer not null, written_by uuid default auth.uid());
    grant insert on tests_jobs.rows to authenticated;
  `);
  const person = await signUp(stack);
  const { data: org, error } = await person.client.rpc("create_organization", { p_name: "Jobs" });
  if (error) throw error;
  const orgId = typeof org === "string" ? org : org.id;
  return {
    person,
    orgId,
    admin,
    async enqueue({ file, idempotencyKey, requestHash } = {}) {
      const { data, error } = await person.client.schema("jobs").rpc("enqueue_job", {
        p_function: "no-such-function",
        p_kind: TEST_KIND,
        p_org_id: orgId,
        p_params: { asked: true },
        ...(file ? { p_file: file } : {}),
        ...(idempotencyKey ? { p_idempotency_key: idempotencyKey, p_request_hash: requestHash ?? "" } : {}),
      });
      if (error) throw error;
      return data.job.id;
    },
    async job(id) {
      const [row] = await admin<
        { job: Job }[]
      >`select to_jsonb(j) as job from jobs.jobs j where j.id = ${id}`;
      if (!row) throw new Error(`Cannot find the job "${id}"`);
      return row.job;
    },
    async loseLease(id) {
      await admin`
        update jobs_private.job_state set lease_expires_at = now() - interval '1 s' where job_id = ${id}`;
      await admin`select jobs_private.recover_leases()`;
      await admin`update jobs_private.job_state set run_after = now() where job_id = ${id}`;
    },
    async [Symbol.asyncDispose]() {
      // What is left queued would take the slots of later tests.
      await admin`delete from jobs.jobs where org_id = ${orgId}`;
      await admin.end();
    },
  };
}
