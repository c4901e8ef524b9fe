/** An export through the client, on the real functions. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLongshore, type Job, LongshoreClientError } from "../../../shared/client/mod.ts";
import { exporter, readCsv, sha256 } from "../../helpers/exports.ts";
import { testStack } from "../../helpers/stack.ts";

// supabase-js keeps its socket and a timer for a while after the last channel has gone.
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("createLongshore() exports a report and gives its bytes", options, async () => {
  await using it = await exporter(await testStack());
  await it.fill([{ tag: "A", area: "N" }, { tag: "B", area: "S" }]);
  const longshore = createLongshore(it.person.client);
  try {
    const reports = await longshore.reports();
    assert(reports.some(({ name, formats }) => name === "pipetrak.components" && formats.includes("xlsx")));

    const states: Job["state"][] = [];
    const file = await longshore.exportReport({
      report: "pipetrak.components",
      format: "csv",
      filters: { project_id: it.projectId, area: "S" },
      columns: ["tag"],
    }, (job) => states.push(job.state));
    assertEquals([file.rows, states.at(-1)], [1, "succeeded"]);
    const bytes = new Uint8Array(await new Response(await longshore.downloadExport(file)).arrayBuffer());
    assertEquals([bytes.length, await sha256(bytes)], [file.bytes, file.sha256]);
    assertEquals(readCsv(bytes), [["Tag"], ["B"]]);

    const refused = await assertRejects(
      () => longshore.startExport({ report: "pipetrak.component", format: "csv" }),
      LongshoreClientError,
    );
    assertEquals([refused.code, refused.status], ["unknown_report", 404]);
    await assertRejects(
      () => longshore.downloadExport({ bucket: "exports", path: "x/y/z.csv" }),
      LongshoreClientError,
    );
  } finally {
    await it.person.client.realtime.disconnect();
  }
});
