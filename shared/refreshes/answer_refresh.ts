/**
 * What the function `refresh-metrics` answers: a job that refreshes a view, for a person or for the system, or a slice to
 * go on with. Who may ask for which view is for the database to say.
 */
import type { ServiceCaller, UserCaller } from "../http/authenticate.ts";
import type { Call } from "../http/handle.ts";
import { parseInput, readBody, readJson } from "../http/read_body.ts";
import { respond } from "../http/respond.ts";
import { SliceRequest } from "../http/slice_request.ts";
import { startJob, workOn } from "../http/start_job.ts";
import type { Job } from "../jobs/job.ts";
import { RefreshRequest } from "./refresh_request.ts";
import { runRefresh } from "./run_refresh.ts";

export async function answerRefresh(call: Call): Promise<Response> {
  const { caller } = call;
  return caller.kind === "user" ? await startForPerson(call, caller) : await answerService(call, caller);
}

async function startForPerson(call: Call, caller: UserCaller): Promise<Response> {
  const { view } = await readBody(call.request, RefreshRequest);
  const { data, error } = await caller.client.schema("jobs").rpc("authorize_refresh", { p_view: view });
  if (error) throw error;
  return await startJob(call, caller, {
    kind: "refresh",
    function: "refresh-metrics",
    orgId: data as string,
    params: { view },
    handler: runRefresh,
  });
}

async function answerService(call: Call, caller: ServiceCaller): Promise<Response> {
  const body = await readJson(call.request) ?? {};
  if (typeof body === "object" && body !== null && "job_id" in body) {
    const { job_id } = parseInput(body, SliceRequest);
    workOn(call, { kind: "refresh", jobId: job_id, handler: runRefresh, first: false });
    return respond({ job_id }, { status: 202 });
  }
  return await startForSystem(call, caller, parseInput(body, RefreshRequest).view);
}

async function startForSystem(call: Call, caller: ServiceCaller, view: string): Promise<Response> {
  const { data, error } = await caller.client.schema("jobs").rpc("request_refresh", { p_view: view });
  if (error) throw error;
  const { job } = data as { job: Job };
  call.log.job_id = job.id;
  workOn(call, { kind: "refresh", jobId: job.id, handler: runRefresh, first: true });
  return respond({ job }, { status: 202 });
}
