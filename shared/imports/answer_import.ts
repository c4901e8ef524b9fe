/**
 * What the function `import` answers, for the datasets it is given: what can be imported, a template, the check of a
 * file, and a slice of a check to go on with.
 */
import { datasets as all, findDataset } from "../domains/datasets.ts";
import { LongshoreError } from "../errors.ts";
import { requireUser } from "../http/authenticate.ts";
import type { Call } from "../http/handle.ts";
import { readBody } from "../http/read_body.ts";
import { respond } from "../http/respond.ts";
import { SliceRequest } from "../http/slice_request.ts";
import { startJob, workOn } from "../http/start_job.ts";
import type { SliceHandler } from "../jobs/slice.ts";
import type { Dataset } from "./dataset.ts";
import { describeDataset } from "./describe_dataset.ts";
import { findScopeOrganization } from "./find_scope_organization.ts";
import { listOffered } from "./list_offered.ts";
import { makeTemplate } from "./make_template.ts";
import { readImportRequest } from "./read_import_request.ts";
import { resolveRequest } from "./resolve_request.ts";
import { runImportCheck } from "./run_import_check.ts";

export function answerImport(datasets: readonly Dataset[] = all): (call: Call) => Promise<Response> {
  const handler: SliceHandler = (slice) => runImportCheck(slice, { datasets });
  return async (call) => {
    if (call.request.method === "GET") return await describe(call, datasets);
    return call.caller.kind === "service" ? await goOn(call, handler) : await start(call, datasets, handler);
  };
}

async function describe({ url, caller }: Call, datasets: readonly Dataset[]): Promise<Response> {
  const { client } = requireUser(caller);
  const name = url.searchParams.get("dataset");
  const template = url.searchParams.get("template");
  if (name === null) return respond({ datasets: (await listOffered(client, datasets)).map(describeDataset) });
  const dataset = findDataset(name, datasets);
  if (template === null) return respond({ datasets: [describeDataset(dataset)] });
  if (template === "csv" || template === "xlsx") return makeTemplate(dataset, template);
  throw new LongshoreError("invalid_request", `Cannot make a template "${template}": expected csv or xlsx`);
}

async function start(call: Call, datasets: readonly Dataset[], handler: SliceHandler): Promise<Response> {
  const caller = requireUser(call.caller);
  const { request, file } = await readImportRequest(call.request);
  const resolved = resolveRequest(request, datasets);
  const orgId = await findScopeOrganization(caller.client, resolved);
  const stored = await file(caller, orgId);
  return await startJob(call, caller, {
    kind: "import_check",
    function: "import",
    orgId,
    params: { ...request, file: stored },
    file: stored,
    handler,
  });
}

async function goOn(call: Call, handler: SliceHandler): Promise<Response> {
  const { job_id } = await readBody(call.request, SliceRequest);
  workOn(call, { kind: "import_check", jobId: job_id, handler, first: false });
  return respond({ job_id }, { status: 202 });
}
