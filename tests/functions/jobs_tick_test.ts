import { assertEquals, assertMatch } from "@std/assert";
import { TickAnswer } from "../../functions/jobs-tick/schema.ts";
import { jobMaker } from "../helpers/jobs.ts";
import { service } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";

const stack = await testStack();

function call(init: RequestInit): Promise<Response> {
  return fetch(`${stack.url}/functions/v1/jobs-tick`, { method: "POST", ...init });
}

Deno.test("jobs-tick answers the secret key with what it did", async () => {
  const response = await call({ headers: { apikey: stack.secretKey } });
  assertEquals(response.status, 200);
  TickAnswer.parse(await response.json());
});

Deno.test("jobs-tick refuses everybody else in the contract's shape", async () => {
  await using maker = await jobMaker(stack);
  const cases = [
    { headers: {}, status: 401, code: "not_authenticated" },
    { headers: { apikey: stack.publishableKey }, status: 401, code: "not_authenticated" },
    { headers: { apikey: "sb_secret_wrong" }, status: 401, code: "not_authenticated" },
    { headers: { authorization: "Bearer nonsense" }, status: 401, code: "not_authenticated" },
    { headers: { authorization: `Bearer ${maker.person.accessToken}` }, status: 403, code: "not_allowed" },
  ];
  for (const { headers, status, code } of cases) {
    const response = await call({ headers });
    const body = await response.json();
    assertEquals([response.status, body.code], [status, code]);
    assertMatch(body.details.request_id, /^[\w-]{36}$/);
    assertEquals(response.headers.get("x-request-id"), body.details.request_id);
    assertEquals(response.headers.get("access-control-allow-origin"), "*");
  }
});

Deno.test("jobs-tick answers a browser's preflight", async () => {
  const response = await call({
    method: "OPTIONS",
    headers: { "access-control-request-headers": "idempotency-key" },
  });
  await response.body?.cancel();
  assertEquals(response.ok, true);
  assertMatch(response.headers.get("access-control-allow-headers") ?? "", /idempotency-key/i);
});

Deno.test("jobs-tick recovers a job whose slice has died", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  await maker.admin`select jobs_private.claim_job(null, 'nobody', ${id})`;
  await maker.admin`update jobs_private.job_state set lease_expires_at = now() where job_id = ${id}`;
  const response = await call({ headers: { apikey: stack.secretKey } });
  await response.body?.cancel();
  assertEquals((await maker.job(id)).state, "queued");
});

Deno.test("jobs-tick deletes the files of a job whose time has come", async () => {
  await using maker = await jobMaker(stack);
  const id = await maker.enqueue();
  const path = `${maker.orgId}/${id}/report.csv`;
  const files = service(stack).storage.from("exports");
  assertEquals((await files.upload(path, new Blob(["a\n"], { type: "text/csv" }))).error, null);
  await maker.admin`select jobs_private.close_job(${id}, 'succeeded', '{}', null)`;
  await maker.admin`update jobs_private.job_state set files_until = now() where job_id = ${id}`;
  const response = await call({ headers: { apikey: stack.secretKey } });
  await response.body?.cancel();
  assertEquals((await files.exists(path)).data, false);
  const [state] = await maker.admin`select files_until from jobs_private.job_state where job_id = ${id}`;
  assertEquals(state?.files_until, null);
});
