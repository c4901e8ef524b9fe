/** Following a job over connections that lose messages, break, and refuse. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { createLongshore, type Job, LongshoreClientError } from "../../../shared/client/mod.ts";
import { type Person, signUp } from "../../helpers/people.ts";
import { type TestStack, testStack } from "../../helpers/stack.ts";
import { type HandMovedJob, openJobs } from "./_jobs.ts";
import { type Proxy, startProxy } from "./_proxy.ts";

/** Far beyond the length of a test: only what the test is about may bring the row. */
const NEVER_MS = 600_000;

interface Scene {
  stack: TestStack;
  proxy: Proxy;
  job: HandMovedJob;
  client: SupabaseClient;
}

/** A job, its owner's client, and a connection between them that a test can spoil. */
function scene(name: string, run: (scene: Scene) => Promise<void>): void {
  // supabase-js keeps its socket and a timer for a while after the last channel has gone.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
    const stack = await testStack();
    const jobs = openJobs(stack);
    const proxy = startProxy(stack.url);
    const job = await jobs.insert();
    const client = through(proxy, stack, () => job.owner.accessToken);
    try {
      await run({ stack, proxy, job, client });
    } finally {
      await client.realtime.disconnect();
      await proxy.stop();
      await jobs.close();
    }
  });
}

scene(
  "watch() calls back with every newer state and resolves with the whole job",
  async ({ client, job }) => {
    const seen = new Seen();
    const watching = createLongshore(client).watch(job.id, seen.add, { silenceMs: NEVER_MS });
    await seen.until((last) => last.version === 1 && isJoined(client));
    await job.update({ done: 10 });
    await seen.until((last) => last.progress.done === 10);
    await job.update({ state: "succeeded", done: 20, result: { rows: 20, preview: [{ tag: "A" }] } });
    const ended = await watching;

    assertEquals(ended.state, "succeeded");
    assertEquals(ended.params, { dataset: "x" });
    assertEquals(ended.result, { rows: 20, preview: [{ tag: "A" }] }, "the channel leaves the preview out");
    assertEquals(seen.versions, [1, 2, 3]);
    assertEquals(client.getChannels(), []);
  },
);

scene("watch() resolves at once where the job ended before", async ({ client, job }) => {
  await job.update({ state: "failed", error: { code: "internal", message: "Cannot go on", details: null } });
  const ended = await createLongshore(client).watch(job.id);
  assertEquals(ended.state, "failed");
  assertEquals(ended.error?.code, "internal");
});

scene(
  "watch() reads the row in silence, so that lost messages cost time only",
  async ({ client, proxy, job }) => {
    const seen = new Seen();
    const watching = createLongshore(client).watch(job.id, seen.add, { silenceMs: 50 });
    await seen.until(() => isJoined(client));
    proxy.swallow = true;
    await job.update({ done: 7 });
    await seen.until((last) => last.progress.done === 7);
    await job.update({ state: "cancelled", done: 8 });
    assertEquals((await watching).state, "cancelled");
  },
);

scene("watch() reads the row after a gap in the versions", async ({ client, proxy, job }) => {
  const seen = new Seen();
  const watching = createLongshore(client).watch(job.id, seen.add, { silenceMs: NEVER_MS });
  await seen.until(() => isJoined(client));
  await job.update({ done: 1 });
  await seen.until((last) => last.progress.done === 1);
  const readsBefore = proxy.requests.filter(isRead).length;
  await job.update({ done: 2 });
  await seen.until((last) => last.progress.done === 2);
  assertEquals(proxy.requests.filter(isRead).length, readsBefore, "a message without a gap needs no reading");

  proxy.swallow = true;
  await job.update({ done: 3 });
  await until(() => proxy.swallowed > 0);
  proxy.swallow = false;
  await job.update({ done: 4 });
  await seen.until((last) => last.progress.done === 4);
  await until(() => proxy.requests.filter(isRead).length === readsBefore + 1);

  await job.update({ state: "succeeded", result: {} });
  await watching;
});

scene(
  "watch() goes on after its socket broke, with what happened meanwhile",
  async ({ client, proxy, job }) => {
    const seen = new Seen();
    const watching = createLongshore(client).watch(job.id, seen.add, { silenceMs: NEVER_MS });
    await seen.until(() => isJoined(client));
    // No answers either, so that nothing but the rejoin can bring the news.
    proxy.intercept = () => proxy.swallow ? Response.json({ message: "away" }, { status: 503 }) : null;
    proxy.swallow = true;
    assert(proxy.dropSockets() > 0);
    await job.update({ done: 5 });
    proxy.swallow = false;
    await seen.until((last) => last.progress.done === 5);
    await until(() => isJoined(client));
    await job.update({ state: "succeeded", result: {} });
    assertEquals((await watching).state, "succeeded");
  },
);

scene("watch() survives a token that is refused until it is renewed", async ({ stack, proxy, job }) => {
  let token = `${job.owner.accessToken.slice(0, -4)}AAAA`;
  const client = through(proxy, stack, () => token);
  const seen = new Seen();
  const watching = createLongshore(client).watch(job.id, seen.add, { silenceMs: NEVER_MS });
  await until(() => proxy.requests.some(isRead));
  assertEquals(seen.versions, []);
  token = job.owner.accessToken;
  await seen.until((last) => last.version === 1);
  await job.update({ state: "succeeded", result: {} });
  assertEquals((await watching).state, "succeeded");
  await client.realtime.disconnect();
});

scene("watch() follows with the session of a client that has signed in", async ({ stack, proxy, job }) => {
  const client = createClient(proxy.url, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { error } = await client.auth.signInWithPassword(job.owner);
  assertEquals(error, null);
  const seen = new Seen();
  const watching = createLongshore(client).watch(job.id, seen.add, { silenceMs: NEVER_MS });
  await seen.until(() => isJoined(client));
  await job.update({ state: "succeeded", result: {} });
  assertEquals((await watching).state, "succeeded");
  await client.realtime.disconnect();
});

scene("watch() refuses a stranger, who learns nothing", async ({ stack, proxy, job }) => {
  const stranger: Person = await signUp(stack, "stranger");
  const client = through(proxy, stack, () => stranger.accessToken);
  const seen = new Seen();
  const error = await assertRejects(
    () => createLongshore(client).watch(job.id, seen.add),
    LongshoreClientError,
    job.id,
  );
  assertEquals([error.code, error.status, seen.versions], ["job_not_found", 404, []]);
  assertEquals(client.getChannels(), []);
  await client.realtime.disconnect();
});

scene("watch() gives up when the row cannot be read again and again", async ({ client, proxy, job }) => {
  proxy.intercept = (request) =>
    isRead(new URL(request.url).pathname) ? new Response(null, { status: 500 }) : null;
  const error = await assertRejects(
    () => createLongshore(client).watch(job.id, undefined, { silenceMs: 10, failedReads: 3 }),
    LongshoreClientError,
  );
  assertEquals(error.status, 500);
});

scene("watch() ends with its signal and leaves the job alone", async ({ client, job }) => {
  const seen = new Seen();
  const stop = new AbortController();
  const longshore = createLongshore(client);
  const watching = longshore.watch(job.id, seen.add, { signal: stop.signal });
  await seen.until((last) => last.version === 1);
  stop.abort(new Error("closed the page"));
  await assertRejects(() => watching, Error, "closed the page");
  assertEquals((await longshore.getJob(job.id)).state, "running");
  assertEquals(client.getChannels(), []);
});

scene("watch() can be called twice for one job of one client", async ({ client, job }) => {
  const longshore = createLongshore(client);
  const [first, second] = [new Seen(), new Seen()];
  const stop = new AbortController();
  const leaving = longshore.watch(job.id, first.add, { signal: stop.signal, silenceMs: NEVER_MS });
  const staying = longshore.watch(job.id, second.add, { silenceMs: NEVER_MS });
  await first.until(() => isJoined(client));
  await second.until(() => true);
  stop.abort();
  await assertRejects(() => leaving);
  await job.update({ done: 3 });
  await second.until((last) => last.progress.done === 3);
  await job.update({ state: "succeeded", result: {} });
  assertEquals((await staying).state, "succeeded");
  assertEquals(client.getChannels(), []);
});

/** The states a watcher was told, and a way to wait for one. */
class Seen {
  readonly jobs: Job[] = [];
  #waiting: (() => void)[] = [];

  readonly add = (job: Job): void => {
    this.jobs.push(job);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  get versions(): number[] {
    return this.jobs.map((job) => job.version);
  }

  async until(holds: (last: Job) => boolean): Promise<void> {
    await until(() => this.jobs.length > 0 && holds(this.jobs.at(-1) as Job));
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Cannot wait any longer for ${holds}`);
    await new Promise((go) => setTimeout(go, 5));
  }
}

function isJoined(client: SupabaseClient): boolean {
  return client.getChannels().some((channel) => channel.state === "joined");
}

function isRead(path: string): boolean {
  return path === "/rest/v1/jobs";
}

function through(proxy: Proxy, stack: TestStack, token: () => string): SupabaseClient {
  return createClient(proxy.url, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    accessToken: () => Promise.resolve(token()),
  });
}
