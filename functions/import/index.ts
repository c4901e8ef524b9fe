/**
 * Importing a file: what can be imported, a template, and the check of a file (a dry run by the real write).
 *   GET                          the datasets the caller may use
 *   GET ?dataset=D&template=csv  an empty file with the headings
 *   POST                         a check of a file in Storage, or of one that comes with the request
 *   POST {job_id}, secret key    a slice of a check to go on with
 */
import { datasets, findDataset } from "../../shared/domains/datasets.ts";
import { LongshoreError } from "../../shared/errors.ts";
import { requireUser } from "../../shared/http/authenticate.ts";
import { type Call, handle } from "../../shared/http/handle.ts";
import { readBody } from "../../shared/http/read_body.ts";
import { respond } from "../../shared/http/respond.ts";
import { startJob, workOn } from "../../shared/http/start_job.ts";
import { describeDataset } from "../../shared/imports/describe_dataset.ts";
import { findScopeOrganization } from "../../shared/imports/find_scope_organization.ts";
import { readImportRequest } from "../../shared/imports/read_import_request.ts";
import { resolveRequest } from "../../shared/imports/resolve_request.ts";
import { runImportCheck } from "../../shared/imports/run_import_check.ts";
import { makeTemplate } from "../../shared/imports/make_template.ts";
import { SliceRequest } from "./schema.ts";

Deno.serve(handle("import", (call) => {
  if (call.request.method === "GET") return Promise.resolve(describe(call));
  return call.caller.kind === "service" ? goOn(call) : start(call);
}));

function describe({ url, caller }: Call): Response {
  requireUser(caller);
  const name = url.searchParams.get("dataset");
  const template = url.searchParams.get("template");
  if (name === null) return respond({ datasets: datasets.map(describeDataset) });
  const dataset = findDataset(name);
  if (template === null) return respond({ datasets: [describeDataset(dataset)] });
  if (template === "csv" || template === "xlsx") return makeTemplate(dataset, template);
  throw new LongshoreError("invalid_request", `Cannot make a template "${template}": expected csv or xlsx`);
}

async function start(call: Call): Promise<Response> {
  const caller = requireUser(call.caller);
  const { request, file } = await readImportRequest(call.request);
  const resolved = resolveRequest(request);
  const orgId = await findScopeOrganization(caller.client, resolved);
  const stored = await file(caller.client, orgId);
  const params = { ...request, file: stored };
  return await startJob(call, caller, {
    kind: "import_check",
    function: "import",
    orgId,
    params,
    file: stored,
    handler: runImportCheck,
  });
}

async function goOn(call: Call): Promise<Response> {
  const { job_id } = await readBody(call.request, SliceRequest);
  workOn(call, { kind: "import_check", jobId: job_id, handler: runImportCheck, first: false });
  return respond({ job_id }, { status: 202 });
}
