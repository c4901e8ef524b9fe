/**
 * The tick, called by the database when it finds something left behind. In: the secret key. Out: what was done. The work
 * is SQL; only files are deleted here, since SQL may not.
 */
import { requireService, type ServiceCaller } from "../../shared/http/authenticate.ts";
import { handle } from "../../shared/http/handle.ts";
import { outliveStrayErrors } from "../../shared/http/outlive_stray_errors.ts";
import { respond } from "../../shared/http/respond.ts";
import { connect } from "../../shared/jobs/connect.ts";
import { filesDeleted, type Tick, tick } from "../../shared/jobs/engine.ts";
import type { TickAnswer } from "./schema.ts";

outliveStrayErrors("jobs-tick");
Deno.serve(handle("jobs-tick", async ({ caller, log }) => {
  const { client } = requireService(caller);
  const connection = connect();
  try {
    const { files, ...counts } = await tick(connection.work);
    await deleteFiles(files, client);
    if (files.length > 0) await filesDeleted(connection.work, [...new Set(files.map((file) => file.job_id))]);
    Object.assign(log, counts, { files_deleted: files.length });
    return respond(counts satisfies TickAnswer);
  } finally {
    await connection.end();
  }
}, { methods: ["POST"] }));

async function deleteFiles(files: Tick["files"], client: ServiceCaller["client"]): Promise<void> {
  for (const [bucket, found] of Map.groupBy(files, (file) => file.bucket)) {
    // Storage takes at most 1,000 paths at once.
    for (let from = 0; from < found.length; from += 1000) {
      const paths = found.slice(from, from + 1000).map((file) => file.path);
      const { error } = await client.storage.from(bucket).remove(paths);
      if (error) throw error;
    }
  }
}
