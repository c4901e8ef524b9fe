/**
 * What the function `export` answers, for the reports it is given: what can be exported, the start of an export, and a
 * slice of one to go on with.
 */
import { findReport, reports as all } from "../domains/reports.ts";
import { requireUser } from "../http/authenticate.ts";
import type { Call } from "../http/handle.ts";
import { readBody } from "../http/read_body.ts";
import { respond } from "../http/respond.ts";
import { SliceRequest } from "../http/slice_request.ts";
import { startJob, workOn } from "../http/start_job.ts";
import type { SliceHandler } from "../jobs/slice.ts";
import { describeReport } from "./describe_report.ts";
import { ExportRequest } from "./export_request.ts";
import { findExportOrganization } from "./find_export_organization.ts";
import type { Report } from "./report.ts";
import { resolveRequest } from "./resolve_request.ts";
import { runExport } from "./run_export.ts";

export function answerExport(reports: readonly Report[] = all): (call: Call) => Promise<Response> {
  const handler: SliceHandler = (slice) => runExport(slice, { reports });
  return async (call) => {
    if (call.request.method === "GET") return describe(call, reports);
    return call.caller.kind === "service" ? await goOn(call, handler) : await start(call, reports, handler);
  };
}

function describe({ url, caller }: Call, reports: readonly Report[]): Response {
  requireUser(caller);
  const name = url.searchParams.get("report");
  const described = name === null ? reports : [findReport(name, reports)];
  return respond({ reports: described.map(describeReport) });
}

async function start(call: Call, reports: readonly Report[], handler: SliceHandler): Promise<Response> {
  const caller = requireUser(call.caller);
  const request = await readBody(call.request, ExportRequest);
  const resolved = resolveRequest(request, reports);
  const orgId = await findExportOrganization(caller.client, resolved);
  return await startJob(call, caller, {
    kind: "export",
    function: "export",
    orgId,
    params: request,
    handler,
  });
}

async function goOn(call: Call, handler: SliceHandler): Promise<Response> {
  const { job_id } = await readBody(call.request, SliceRequest);
  workOn(call, { kind: "export", jobId: job_id, handler, first: false });
  return respond({ job_id }, { status: 202 });
}
