/**
 * Committing an import that was checked.
 *   POST                       a commit of a check
 *   POST {job_id}, secret key  a slice of a commit to go on with
 */
import { LongshoreError } from "../../shared/errors.ts";
import { requireUser, type UserCaller } from "../../shared/http/authenticate.ts";
import { type Call, handle } from "../../shared/http/handle.ts";
import { outliveStrayErrors } from "../../shared/http/outlive_stray_errors.ts";
import { readBody } from "../../shared/http/read_body.ts";
import { respond } from "../../shared/http/respond.ts";
import { startJob, workOn } from "../../shared/http/start_job.ts";
import { runImportCommit } from "../../shared/imports/run_import_commit.ts";
import { CommitRequest, SliceRequest } from "./schema.ts";

outliveStrayErrors("import-commit");
Deno.serve(handle("import-commit", (call) => call.caller.kind === "service" ? goOn(call) : start(call), {
  methods: ["POST"],
}));

async function start(call: Call): Promise<Response> {
  const caller = requireUser(call.caller);
  const request = await readBody(call.request, CommitRequest);
  const check = await findCheck(caller.client, request.import_id);
  return await startJob(call, caller, {
    kind: "import_commit",
    function: "import-commit",
    orgId: check.org_id,
    parentId: request.import_id,
    params: request,
    handler: runImportCommit,
  });
}

/** The check as the caller sees it; whether it can be committed is for the database to say, in one transaction. */
async function findCheck(client: UserCaller["client"], id: string): Promise<{ org_id: string }> {
  const { data, error } = await client.schema("jobs").from("jobs").select("org_id").eq("id", id)
    .eq("kind", "import_check").maybeSingle();
  if (error) throw error;
  if (data) return data as { org_id: string };
  throw new LongshoreError(
    "job_not_found",
    `Cannot commit the import "${id}": found no check of yours with this id`,
  );
}

async function goOn(call: Call): Promise<Response> {
  const { job_id } = await readBody(call.request, SliceRequest);
  workOn(call, { kind: "import_commit", jobId: job_id, handler: runImportCommit, first: false });
  return respond({ job_id }, { status: 202 });
}
