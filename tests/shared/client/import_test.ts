/** An import through the client, on the real functions, over a connection that loses answers. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import {
  checkResult,
  commitResult,
  createLongshore,
  type Longshore,
  LongshoreClientError,
} from "../../../shared/client/mod.ts";
import { anonymous, signUp } from "../../helpers/people.ts";
import { testStack } from "../../helpers/stack.ts";
import { makeProjectOwner, pipetrak, type ProjectOwner } from "./_project.ts";
import { type Proxy, startProxy } from "./_proxy.ts";

const HEADINGS = "tag,type,drawing,quantity\n";

interface Scene {
  owner: ProjectOwner;
  longshore: Longshore;
  client: SupabaseClient;
  proxy: Proxy;
  request: { dataset: string; scope: Record<string, string> };
}

function scene(name: string, run: (scene: Scene) => Promise<void>): void {
  // supabase-js keeps its socket and a timer for a while after the last channel has gone.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
    const stack = await testStack();
    const owner = await makeProjectOwner(stack);
    const proxy = startProxy(stack.url);
    const client = createClient(proxy.url, stack.publishableKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      accessToken: () => Promise.resolve(owner.accessToken),
    });
    const request = { dataset: "pipetrak.components", scope: { project_id: owner.projectId } };
    try {
      await run({ owner, client, longshore: createLongshore(client), proxy, request });
    } finally {
      await client.realtime.disconnect();
      await proxy.stop();
    }
  });
}

scene("createLongshore() brings a file to the table", async ({ longshore, owner, request }) => {
  const file = new File([`${HEADINGS}A-1,valve,ISO-1,2\nA-2,vavle,ISO-1,2\n`], "Komponenten (1) é.csv");
  const check = await longshore.watch((await longshore.startImport(file, request)).id);
  const result = checkResult(check);
  assertEquals([result?.rows, result?.invalid, result?.would.insert], [2, 1, 1]);

  const [problem, ...others] = await longshore.problems(check.id);
  assertEquals(others, []);
  assertEquals([problem?.row, problem?.code, problem?.value], [3, "not_in_list", "vavle"]);
  assertEquals(await longshore.problems(check.id, { code: "required" }), []);
  const text = await (await longshore.downloadProblems(check))?.text() ?? "";
  assertStringIncludes(text, "A-2,vavle,ISO-1,2,3,not_in_list,");

  const commit = await longshore.commitImport(check.id, { policy: "valid_rows" });
  const written = commitResult(await longshore.watch(commit.id));
  assertEquals([written?.inserted, written?.skipped], [1, 1]);
  const { data } = await pipetrak(owner.client).from("components").select("tag,quantity")
    .eq("project_id", owner.projectId);
  assertEquals(data, [{ tag: "A-1", quantity: 2 }]);

  const again = await assertRejects(
    () => longshore.commitImport(check.id, { policy: "valid_rows" }),
    LongshoreClientError,
  );
  assertEquals([again.code, again.details?.["job_id"]], ["already_committed", commit.id]);
});

scene(
  "startImport() starts one job though its answers get lost",
  async ({ longshore, client, proxy, request }) => {
    const keys: (string | null)[] = [];
    let lost = 2;
    proxy.intercept = async (call) => {
      const { pathname } = new URL(call.url);
      if (pathname !== "/functions/v1/import" || call.method !== "POST") return null;
      keys.push(call.headers.get("idempotency-key"));
      if (lost-- <= 0) return null;
      // It reaches the function; its answer does not come back.
      await (await proxy.forward(call)).body?.cancel();
      return new Response(null, { status: 502 });
    };
    const job = await longshore.startImport(new File([`${HEADINGS}A-1,valve,ISO-1,2\n`], "a.csv"), request);
    assertEquals(keys.length, 3);
    assertEquals(new Set(keys).size, 1);
    assert(keys[0]);
    const { data } = await client.schema("jobs").from("jobs").select("id");
    assertEquals(data, [{ id: job.id }]);
    await longshore.watch(job.id);
  },
);

scene("startImport() uploads once though the answer gets lost", async ({ longshore, proxy, request }) => {
  let uploads = 0;
  proxy.intercept = async (call) => {
    if (!new URL(call.url).pathname.startsWith("/storage/v1/object/imports/") || uploads++ > 0) return null;
    await (await proxy.forward(call)).body?.cancel();
    return new Response(null, { status: 502 });
  };
  const job = await longshore.startImport(new File([`${HEADINGS}A-1,valve,ISO-1,2\n`], "a.csv"), request);
  assertEquals(uploads, 2);
  assertEquals((await longshore.watch(job.id)).state, "succeeded");
});

scene(
  "startImport() gives the same job for the same idempotencyKey, and uploads once",
  async ({ longshore, client, proxy, request, owner }) => {
    const idempotencyKey = "components of 2026-11-29";
    const file = () => new File([`${HEADINGS}A-1,valve,ISO-1,2\n`], "a.csv");
    const job = await longshore.startImport(file(), request, { idempotencyKey });
    const again = await longshore.startImport(file(), request, { idempotencyKey });
    assertEquals(again.id, job.id);
    assertEquals(proxy.requests.filter((path) => path.startsWith("/storage/v1/object/imports/")).length, 1);
    assertEquals((await longshore.watch(job.id)).state, "succeeded");

    const longer = new File([`${HEADINGS}A-1,valve,ISO-1,2\nA-2,valve,ISO-1,2\n`], "a.csv");
    const corrected = new File([`${HEADINGS}A-1,valve,ISO-1,9\n`], "a.csv");
    for (
      const [other, options] of [[longer, {}], [corrected, {}], [file(), {
        mode: "upsert" as const,
      }]] as const
    ) {
      const refused = await assertRejects(
        () => longshore.startImport(other, { ...request, options }, { idempotencyKey }),
        LongshoreClientError,
      );
      assertEquals([refused.code, refused.status], ["idempotency_conflict", 409]);
    }
    const { data } = await client.schema("jobs").from("jobs").select("id");
    assertEquals(data, [{ id: job.id }]);

    // The same key is another person's own.
    const stack = await testStack();
    const colleague = await signUp(stack, "colleague");
    const added = await client.rpc("add_member", {
      p_org_id: owner.orgId,
      p_email: colleague.email,
      p_role: "admin",
    });
    assertEquals(added.error, null);
    const theirs = await createLongshore(colleague.client).startImport(file(), request, { idempotencyKey });
    assert(theirs.id !== job.id);

    // However a client has its token.
    const signedIn = anonymous(stack);
    await signedIn.auth.signInWithPassword({ email: owner.email, password: owner.password });
    const asBefore = await createLongshore(signedIn).startImport(file(), request, { idempotencyKey });
    assertEquals(asBefore.id, job.id);
  },
);

scene("startImport() gives up on a server that keeps failing", async ({ longshore, proxy, request }) => {
  proxy.intercept = ({ url }) =>
    new URL(url).pathname === "/functions/v1/import" ? new Response("oh", { status: 503 }) : null;
  const file = { bucket: "imports", path: "a/b.csv" };
  const error = await assertRejects(() => longshore.startImport(file, request), LongshoreClientError);
  assertEquals([error.code, error.status], ["internal", 503]);
});

scene("startImport() hands on what the function refuses, at once", async ({ longshore, proxy, request }) => {
  const file = new File([HEADINGS], "a.csv");
  const unknown = await assertRejects(
    () => longshore.startImport(file, { ...request, dataset: "pipetrak.component" }),
    LongshoreClientError,
    '"pipetrak.components"',
  );
  assertEquals([unknown.code, unknown.status], ["unknown_dataset", 404]);
  const invalid = await assertRejects(
    () => longshore.startImport(file, { ...request, options: { header_row: 0 } }),
    LongshoreClientError,
  );
  assertEquals(invalid.code, "invalid_request");
  assertEquals((invalid.details?.["issues"] as { path: string }[])[0]?.path, "options.header_row");
  assertEquals(proxy.requests.filter((path) => path === "/functions/v1/import").length, 2);
});

scene(
  "startImport() asks for the organization where there is more than one",
  async ({ longshore, client, request, owner }) => {
    await client.rpc("create_organization", { p_name: "Another" });
    const file = new File([`${HEADINGS}A-1,valve,ISO-1,2\n`], "a.csv");
    await assertRejects(() => longshore.startImport(file, request), LongshoreClientError, "orgId");
    const job = await longshore.startImport(file, request, { orgId: owner.orgId });
    assertEquals((await longshore.watch(job.id)).state, "succeeded");
  },
);

scene("startImport() says so where the organization is not one's own", async ({ longshore, request }) => {
  const file = new File([HEADINGS], "components.csv");
  const refusal = await assertRejects(
    () => longshore.startImport(file, request, { orgId: crypto.randomUUID() }),
    LongshoreClientError,
  );
  assertEquals([refusal.code, refusal.status], ["not_allowed", 403]);
  assertEquals(refusal.message, 'Cannot upload "components.csv": found no right to do so');
});

scene("cancel() and retry() move a job of one's own only", async ({ longshore, request }) => {
  const rows = Array.from({ length: 30_000 }, (_, place) => `T-${place},valve,ISO-1,1`).join("\n");
  const { id } = await longshore.startImport(new File([HEADINGS, rows], "a.csv"), request);
  assertEquals((await longshore.cancel(id)).state, "cancelled");
  assertEquals((await longshore.watch(id)).state, "cancelled");

  const stack = await testStack();
  const stranger = createLongshore((await signUp(stack, "stranger")).client);
  const refused = await assertRejects(() => stranger.retry(id), LongshoreClientError);
  assertEquals(refused.code, "job_not_found");
});

scene("datasets() lists what can be imported", async ({ longshore }) => {
  const components = (await longshore.datasets()).find(({ name }) => name === "pipetrak.components");
  assert(components?.columns.some(({ name, required }) => name === "tag" && required));
});
