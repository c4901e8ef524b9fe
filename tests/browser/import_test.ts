/** The client in a real browser: an import on a page, over a connection that breaks, and before strangers. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type postgres from "postgres";
import { startProxy } from "../shared/client/_proxy.ts";
import { startAppServer } from "./_app_server.ts";
import { startHeldCheck } from "./_held_check.ts";
import { scene } from "./_scene.ts";
import type { Visitor } from "./_visitor.ts";

scene("createLongshore() brings a file from a page to the table, with live progress", async (it) => {
  await using visitor = await it.open();
  await visitor.signUp();
  // Several chunks and several steps of the commit.
  await visitor.pickFile(components(12_000));
  await visitor.sees("outcome", "Checked 12000: 11879 valid, 121 with problems");
  assertEquals((await visitor.text("#problems tr")).sort(), [
    'not_in_list120101Type "vavle" is not in the list: the nearest is "valve"',
    "required18Drawing is required, found an empty cell",
  ]);
  await visitor.click("Import the valid rows");
  await visitor.sees("outcome", "Imported 11879, left out 121");
  const [counted] = await it.admin<{ components: number }[]>`
    select count(*)::integer as components from pipetrak.components
    where project_id = ${await visitor.projectId()}`;
  assertEquals(counted?.components, 11_879);

  for (const kind of ["import_check", "import_commit"]) {
    assert(
      progressOf(visitor, kind).length >= 2,
      `the channel of the ${kind} brings its progress and its end`,
    );
  }
  // A read of the row brings one state at most.
  const shown = (await visitor.text("#states li")).length;
  const reads = visitor.requests.filter((request) => request === "GET /rest/v1/jobs").length;
  assert(
    shown > reads,
    `found ${shown} states on the page and ${reads} reads, expected messages to bring more`,
  );
});

scene("watch() ends with the right result on a page that was offline in mid-check", async (it) => {
  const proxy = startProxy(it.stack.url);
  await using _ = { [Symbol.asyncDispose]: () => proxy.stop() };
  await using app = await startAppServer({ url: proxy.url, publishableKey: it.stack.publishableKey });
  await using visitor = await it.open(app.url);
  await using held = await startHeldCheck(visitor, { admin: it.admin, file: components(600) });
  await visitor.context.setOffline(true);
  // A browser that only plays being offline keeps its sockets and reads later what they brought.
  assertEquals(proxy.dropSockets(), 1);
  await held.release();
  await untilSucceeded(held.jobId, it.admin);
  assertEquals(await visitor.text("#outcome"), [""], "nothing reaches the page");
  await visitor.context.setOffline(false);
  await visitor.sees("outcome", "Checked 600: 593 valid, 7 with problems");
  await visitor.click("Import the valid rows");
  await visitor.sees("outcome", "Imported 593, left out 7");
  assert(progressOf(visitor, "import_commit").length > 0, "the channel works again");
});

scene("watch() follows the same job after a page was reloaded in mid-check", async (it) => {
  await using visitor = await it.open();
  await using held = await startHeldCheck(visitor, { admin: it.admin, file: components(600) });
  await visitor.page.reload();
  await visitor.sees("states", "import_check running");
  await held.release();
  await visitor.sees("outcome", "Checked 600: 593 valid, 7 with problems");
});

scene("watch() tells a stranger's page nothing", async (it) => {
  await using owner = await it.open();
  await using held = await startHeldCheck(owner, { admin: it.admin, file: components(600) });
  await using stranger = await it.open(`${it.appUrl}#${held.jobId}`);
  await stranger.signUp();
  await stranger.sees("error", "job_not_found");
  await held.release();
  await owner.sees("outcome", "Checked 600: 593 valid, 7 with problems");

  assert(progressOf(owner, "import_check").length > 0);
  const [joining] = stranger.frames;
  assertEquals([joining?.topic, joining?.event], [`realtime:job:${held.jobId}`, "phx_reply"]);
  assertEquals(joining?.payload["status"], "error");
  assertMatch(JSON.stringify(joining?.payload), /Unauthorized/);
  assertEquals(stranger.frames.filter(({ event }) => event === "progress"), []);
  assertEquals(await stranger.text("#states li"), []);
});

/** The states that the channels of jobs of this kind brought, as the page shows them. */
function progressOf({ frames }: Visitor, kind: string): string[] {
  return frames.filter(({ event, payload }) => event === "progress" && payload["kind"] === kind)
    .map(({ payload }) => {
      const { phase, percent } = payload["progress"] as Record<string, unknown>;
      return `${kind} ${payload["state"]} ${phase ?? ""} ${percent ?? ""}`.trim();
    });
}

async function untilSucceeded(jobId: string, admin: postgres.Sql): Promise<void> {
  for (;;) {
    const [job] = await admin<{ state: string }[]>`select state from jobs.jobs where id = ${jobId}`;
    if (job?.state === "succeeded") return;
    assertEquals(job?.state, "running");
    await new Promise((go) => setTimeout(go, 10));
  }
}

/** Every hundredth row has a type that there is not, and one lacks its drawing. */
function components(rows: number): string {
  const lines = ["tag,type,drawing,quantity"];
  for (let row = 1; row <= rows; row++) {
    lines.push(`T-${row},${row % 100 === 0 ? "vavle" : "valve"},${row === 7 ? "" : "ISO-1"},1`);
  }
  return lines.join("\n");
}
