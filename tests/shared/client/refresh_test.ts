/** What the client does with refreshes, against the real stack. */
import { assertEquals, assertRejects } from "@std/assert";
import { createLongshore, type Job, LongshoreClientError } from "../../../shared/client/mod.ts";
import { signUp } from "../../helpers/people.ts";
import { refreshLab } from "../../helpers/refresh_lab.ts";
import { testStack } from "../../helpers/stack.ts";

const stack = await testStack();
// A client's socket closes a moment after its test.
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test("refreshView() says as of when the numbers are, and views() says it later", options, async () => {
  await using lab = await refreshLab(stack);
  const longshore = createLongshore(lab.owner.client);
  const seen: Job[] = [];
  const result = await longshore.refreshView(lab.view, (job) => seen.push(job));
  assertEquals([result.view, result.concurrent, result.jobs_served], [lab.view, true, 0]);
  assertEquals(seen.at(-1)?.state, "succeeded");
  const view = (await longshore.views()).find(({ view }) => view === lab.view);
  assertEquals([view?.refreshed_at, view?.duration_ms, view?.failed_at], [
    result.refreshed_at,
    result.duration_ms,
    null,
  ]);
  await lab.owner.client.realtime.disconnect();
});

Deno.test("refreshView() throws what the job failed with", options, async () => {
  await using lab = await refreshLab(stack);
  await lab.setBroken(true);
  const error = await assertRejects(
    () => createLongshore(lab.owner.client).refreshView(lab.view),
    LongshoreClientError,
  );
  assertEquals([error.code, error.details?.sqlstate], ["refresh_failed", "22012"]);
  await lab.owner.client.realtime.disconnect();
});

Deno.test("startRefresh() throws what the function refuses", async () => {
  await using lab = await refreshLab(stack);
  const longshore = createLongshore((await signUp(stack)).client);
  const error = await assertRejects(() => longshore.startRefresh(lab.view), LongshoreClientError);
  assertEquals([error.code, error.status], ["not_allowed", 403]);
});
