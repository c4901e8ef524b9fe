import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  type ExitRecord,
  type FunctionsService,
  type IsolateInfo,
  type Limits,
  startFunctions,
} from "../../local/functions.ts";

const CONFIG = new URL("../fixtures/functions/supabase/config.toml", import.meta.url).pathname;
const KEYS = { publishableKey: "sb_publishable_test", secretKey: "sb_secret_test", jwks: { keys: [] } };

/** Only a test that fails waits that long. */
const PATIENCE_MS = 20_000;

interface Runtime extends AsyncDisposable {
  functions: FunctionsService;
  call(path: string, init?: RequestInit): Promise<Response>;
  /** Resolves with the first isolate that ends from now on. */
  nextExit(): Promise<ExitRecord>;
  /** Resolves when a function writes a line that holds `text`, or has written it. */
  logged(text: string): Promise<void>;
  logFile: string;
}

async function startRuntime(limits: Partial<Limits> = {}, configPath = CONFIG): Promise<Runtime> {
  const dir = await Deno.makeTempDir();
  const lines: string[] = [];
  const waiting: { text: string; found: () => void }[] = [];
  const functions = await startFunctions({
    configPath,
    keys: KEYS,
    gatewayUrl: () => "http://127.0.0.1:1",
    env: { SUPABASE_DB_URL: "postgres://postgres@127.0.0.1:1/postgres" },
    limits,
    logDir: dir,
    watch: configPath !== CONFIG,
    onLog({ line }) {
      lines.push(line);
      for (const { text, found } of waiting) if (line.includes(text)) found();
    },
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const url = new URL(request.url);
    const signed = request.headers.has("authorization");
    const token = signed ? "token" : null;
    return functions.handle({
      request,
      url,
      path: url.pathname,
      token,
      claims: signed ? { role: "anon" } : null,
    });
  });
  return {
    functions,
    logFile: join(dir, "functions.log"),
    call: (path, init) => fetch(`http://127.0.0.1:${server.addr.port}/${path}`, init),
    nextExit() {
      const exit = Promise.withResolvers<ExitRecord>();
      const forget = functions.control.onExit((record) => {
        forget();
        exit.resolve(record);
      });
      return patiently(exit.promise, "the end of an isolate");
    },
    logged(text) {
      if (lines.some((line) => line.includes(text))) return Promise.resolve();
      const line = Promise.withResolvers<void>();
      waiting.push({ text, found: line.resolve });
      return patiently(line.promise, `"${text}" in the log`);
    },
    async [Symbol.asyncDispose]() {
      await functions.stop();
      await server.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Waits for `promise`, but not for ever; without a timer that would outlive a test. */
async function patiently<T>(promise: Promise<T>, awaited: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Waited in vain for ${awaited}`)), PATIENCE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(
  runtime: Runtime,
  name: string,
  condition: (isolates: IsolateInfo[]) => boolean,
): Promise<void> {
  for (const start = Date.now(); !condition(await runtime.functions.control.isolates(name));) {
    assert(Date.now() - start < PATIENCE_MS, `"${name}" never came into the expected state`);
    await new Promise((go) => setTimeout(go, 5));
  }
}

/** The id of the isolate that answered. */
async function isolateOf(response: Promise<Response>): Promise<string> {
  const answer = await response;
  const text = await answer.text();
  assertEquals(answer.status, 200, text);
  return text;
}

Deno.test("startFunctions() hands over requests and answers whole", async () => {
  await using runtime = await startRuntime();
  const response = await runtime.call("echo/deep/path?a=1&a=2", {
    method: "PUT",
    body: new Uint8Array(3_000_000),
    headers: { "x-own": "kept" },
  });
  assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
  const { method, url, headers, bytes } = await response.json();
  assertEquals([method, bytes, headers["x-own"]], ["PUT", 3_000_000, "kept"]);
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/echo\/deep\/path\?a=1&a=2$/);

  const redirect = await runtime.call("echo/redirect", { redirect: "manual" });
  assertEquals([redirect.status, redirect.headers.get("location")], [302, "/"]);
  await redirect.body?.cancel();
});

Deno.test("startFunctions() shows HTML as text, as hosted", async () => {
  await using runtime = await startRuntime();
  const page = await runtime.call("echo/page");
  assertEquals(page.headers.get("content-type"), "text/plain; charset=utf-8");
  assertEquals(await page.text(), "<p>page</p>");
  const posted = await runtime.call("echo/page", { method: "POST", body: "x" });
  assertEquals(posted.headers.get("content-type"), "text/html; charset=utf-8");
  await posted.body?.cancel();
});

Deno.test("startFunctions() streams both ways at once", async () => {
  await using runtime = await startRuntime();
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const answered = runtime.call("echo/stream", { method: "POST", body: readable });
  writer.write(new TextEncoder().encode("first"));
  const reader = (await answered).body!.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await reader.read()).value, "first");
  // The second piece is written only after the first one came back.
  writer.write(new TextEncoder().encode("second"));
  assertEquals((await reader.read()).value, "second");
  await writer.close();
  assert((await reader.read()).done);
});

Deno.test("startFunctions() tells the function when its client has gone", async () => {
  await using runtime = await startRuntime();
  const controller = new AbortController();
  const answer = runtime.call("echo/never", { signal: controller.signal }).catch((error: Error) =>
    error.name
  );
  // What the function has not heard of yet could be taken back without a word to it.
  await runtime.logged("a client waits");
  controller.abort();
  assertEquals(await answer, "AbortError");
  await runtime.logged("the client has gone");
});

Deno.test("startFunctions() gives the surroundings of the platform", async () => {
  await using runtime = await startRuntime();
  const found = await (await runtime.call("echo/surroundings")).json();
  assertEquals(found, {
    deno: "2.1.4",
    environment: [
      "SB_EXECUTION_ID",
      "SB_REGION",
      "SUPABASE_DB_URL",
      "SUPABASE_FUNCTION_SLUG",
      "SUPABASE_JWKS",
      "SUPABASE_PUBLISHABLE_KEYS",
      "SUPABASE_SECRET_KEYS",
      "SUPABASE_URL",
    ],
    worker: false,
    written: "kept",
    sync: "PermissionDenied",
    rename: "PermissionDenied",
    command: "NotCapable",
    outside: "PermissionDenied",
  });
});

Deno.test("startFunctions() answers in the platform's words where no function does", async (test) => {
  await using runtime = await startRuntime({ requestMs: 300 });
  const cases: [string, string, RequestInit, number, string][] = [
    ["an unknown function", "nobody", {}, 404, "NOT_FOUND"],
    ["a function that is switched off", "off", {}, 404, "NOT_FOUND"],
    ["a function that cannot boot", "broken", {}, 503, "BOOT_ERROR"],
    ["a missing JWT", "signed", {}, 401, "UNAUTHORIZED_NO_AUTH_HEADER"],
    ["an unknown method", "echo", { method: "PROPFIND" }, 405, "METHOD_NOT_ALLOWED"],
    ["an answer that takes too long", "echo/never", {}, 504, "IDLE_TIMEOUT"],
  ];
  for (const [name, path, init, status, code] of cases) {
    await test.step(name, async () => {
      const response = await runtime.call(path, init);
      assertEquals([response.status, (await response.json()).code], [status, code]);
      assertEquals(response.headers.get("sb-error-code"), code);
    });
  }
  await test.step("but passes a valid JWT and a preflight", async () => {
    for (const init of [{ headers: { authorization: "Bearer x" } }, { method: "OPTIONS" }]) {
      const response = await runtime.call("signed", init);
      assertEquals(response.status, 200);
      await response.body?.cancel();
    }
  });
  assertStringIncludes(await Deno.readTextFile(runtime.logFile), "broken on purpose");
});

Deno.test("an isolate is killed at its CPU limit and the next request served by another", async () => {
  await using runtime = await startRuntime();
  const first = await isolateOf(runtime.call("work"));
  const exit = runtime.nextExit();
  const response = await runtime.call("work?cpu=60000");
  assertEquals([response.status, (await response.json()).code], [546, "WORKER_LIMIT"]);
  const { id, reason, cpuMs } = await exit;
  assertEquals([id, reason], [first, "cpu"]);
  assert(cpuMs >= 2000 && cpuMs < 3000, `${cpuMs} ms of CPU`);
  await runtime.logged("beforeunload cpu");
  assert(first !== await isolateOf(runtime.call("work")));
});

Deno.test("an isolate is killed at its memory limit", async () => {
  await using runtime = await startRuntime({ memoryBytes: 64 * 1024 * 1024 });
  const exit = runtime.nextExit();
  assertEquals(
    await (await runtime.call("work?memory=40")).text(),
    (await runtime.functions.control.isolates("work"))[0]?.id,
  );
  const response = await runtime.call("work?memory=400");
  assertEquals([response.status, (await response.json()).code], [546, "WORKER_LIMIT"]);
  assertEquals((await exit).reason, "memory");
});

Deno.test("an isolate that fills the heap of V8 ends at the memory limit too", async () => {
  await using runtime = await startRuntime({ memoryBytes: 64 * 1024 * 1024 });
  const exit = runtime.nextExit();
  const response = await runtime.call("work?heap=400");
  assertEquals([response.status, (await response.json()).code], [546, "WORKER_LIMIT"]);
  assertEquals((await exit).reason, "memory");
});

Deno.test("an isolate is killed at its wall clock limit, even when it only waits", async () => {
  await using runtime = await startRuntime({ wallClockMs: 1000 });
  const exit = runtime.nextExit();
  const response = await runtime.call("work?wait=60000");
  assertEquals([response.status, (await response.json()).code], [546, "WORKER_LIMIT"]);
  assertEquals((await exit).reason, "wall_clock");
  await runtime.logged("beforeunload wall_clock");
});

Deno.test("a retired isolate finishes what it has while another serves", async () => {
  await using runtime = await startRuntime({ cpuSoftMs: 100 });
  const exit = runtime.nextExit();
  const old = await isolateOf(runtime.call("work"));
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const slow = isolateOf(
    runtime.call("work?hold&wait=50&background=200", { method: "POST", body: readable }),
  );
  let next = old;
  for (let tries = 0; next === old && tries < 200; tries++) {
    next = await isolateOf(runtime.call("work?cpu=20"));
  }
  assert(next !== old);
  assertEquals(
    (await runtime.functions.control.isolates("work")).find(({ id }) => id === old)?.state,
    "retired",
  );
  await writable.close();
  assertEquals(await slow, old);
  await runtime.logged("background done");
  const { id, reason } = await exit;
  assertEquals([id, reason], [old, "early_drop"]);
  await runtime.logged("beforeunload early_drop");
  assertEquals(await isolateOf(runtime.call("work")), next);
});

Deno.test("waitUntil() outlives the response and keeps the isolate warm", async () => {
  await using runtime = await startRuntime();
  const id = await isolateOf(runtime.call("work?background=300"));
  await runtime.logged("background done");
  assertEquals(await isolateOf(runtime.call("work")), id);
});

Deno.test("control.kill() ends work in the middle, and the next request is served", async () => {
  await using runtime = await startRuntime();
  const { control } = runtime.functions;
  const response = runtime.call("work?wait=60000");
  await until(runtime, "work", (isolates) => isolates[0]?.unanswered === 1);
  await control.kill("work");
  assertEquals((await (await response).json()).code, "WORKER_LIMIT");
  assertEquals(control.exits.map(({ reason }) => reason), ["killed"]);
  await isolateOf(runtime.call("work"));
});

Deno.test("a process that was killed from outside is replaced", async () => {
  await using runtime = await startRuntime();
  const exit = runtime.nextExit();
  await isolateOf(runtime.call("work"));
  const [isolate] = await runtime.functions.control.isolates("work");
  Deno.kill(isolate!.pid, "SIGKILL");
  const { pid, reason } = await exit;
  assertEquals([pid, reason], [isolate!.pid, "killed"]);
  assert(await isolateOf(runtime.call("work")) !== isolate!.id);
});

Deno.test("an unhandled rejection ends the isolate", async () => {
  await using runtime = await startRuntime();
  const response = await runtime.call("work?reject&wait=60000");
  assertEquals([response.status, (await response.json()).code], [500, "WORKER_ERROR"]);
  assertEquals(runtime.functions.control.exits.map(({ reason }) => reason), ["crashed"]);
  await isolateOf(runtime.call("work"));
});

Deno.test("control.setLimits() changes the limits of one function", async () => {
  await using runtime = await startRuntime();
  runtime.functions.control.setLimits("work", { wallClockMs: 200 });
  const exit = runtime.nextExit();
  const response = await runtime.call("work?wait=60000");
  assertEquals(response.status, 546);
  await response.body?.cancel();
  assertEquals((await exit).reason, "wall_clock");
});

Deno.test("startFunctions() loads changed code for the next request when it watches", async () => {
  const dir = await Deno.makeTempDir();
  const path = join(dir, "functions/note/index.ts");
  const write = (text: string) =>
    Deno.writeTextFile(path, `export default { fetch: () => new Response("${text}") };`);
  await Deno.mkdir(join(dir, "functions/note"), { recursive: true });
  await Deno.mkdir(join(dir, "supabase"));
  const config = '[functions.note]\nentrypoint = "../functions/note/index.ts"\nverify_jwt = false\n';
  await Deno.writeTextFile(join(dir, "supabase/config.toml"), config);
  await write("before");
  {
    await using runtime = await startRuntime({}, join(dir, "supabase/config.toml"));
    assertEquals(await (await runtime.call("note")).text(), "before");
    const exit = runtime.nextExit();
    await write("after");
    assertEquals((await exit).reason, "early_drop");
    assertEquals(await (await runtime.call("note")).text(), "after");
  }
  await Deno.remove(dir, { recursive: true });
});
