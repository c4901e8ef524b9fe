/**
 * What runs first in an isolate, on the runtime floor: it gives a function the surroundings that hosted Edge Functions
 * have, loads it, serves it on a loopback port and talks to the supervisor over one connection. It enforces no limit
 * (the supervisor does, from outside) and takes away only what is cheap to take away: `node:fs` is not covered.
 */
import { eachLine } from "./each_line.ts";
import type { IsolateReport, SupervisorOrder } from "./protocol.ts";

type Handler = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;
type BeforeUnloadReason = Extract<SupervisorOrder, { type: "beforeunload" }>["reason"];

/** Functions of `Deno` that a hosted isolate refuses always, and those that it refuses once a module is loaded. */
const REFUSED = "chdir chmod chown copyFile link symlink readLink rename truncate utime umask watchFs"
  .split(" ");
const REFUSED_SYNC =
  "open stat lstat realPath create remove writeFile writeTextFile readFile readTextFile mkdir makeTempDir makeTempFile readDir"
    .split(" ").map((name) => `${name}Sync`);
const SILENT = ["exit", "kill", "addSignalListener", "removeSignalListener"];
/** Names that the process needs to start and that a hosted function does not see. */
const HIDDEN = ["HOME", "DENO_DIR", "DENO_NO_UPDATE_CHECK", "NO_COLOR", "PWD", "LONGSHORE_ISOLATE"];

const native = { serve: Deno.serve, exit: Deno.exit };
let server: Deno.HttpServer<Deno.NetAddr> | null = null;
let pending = 0;
let retired = false;
let unloading = false;

const { controlPort, id }: { controlPort: number; id: string } = JSON.parse(
  Deno.env.get("LONGSHORE_ISOLATE") ?? "{}",
);
const control = await Deno.connect({ hostname: "127.0.0.1", port: controlPort });
const reports = control.writable.getWriter();

for (const name of HIDDEN) Deno.env.delete(name);
limitRuntime();
report({ type: "hello", id });
await eachLine(control.readable, (line) => carryOut(JSON.parse(line)));
// The supervisor is gone, so nobody would end this process.
native.exit(0);

function carryOut(order: SupervisorOrder): void {
  if (order.type === "load") load(order.entrypoint);
  else if (order.type === "beforeunload") unload(order.reason);
  else {
    retired = true;
    reportIdle();
  }
}

async function load(entrypoint: string): Promise<void> {
  try {
    const module: { default?: { fetch?: unknown } } = await import(entrypoint);
    refuseSync();
    const handler = module.default?.fetch;
    if (!server && typeof handler === "function") serve(handler.bind(module.default));
    if (!server) {
      throw new TypeError(
        `Cannot serve "${entrypoint}": found neither Deno.serve() nor a default export with fetch()`,
      );
    }
    report({ type: "ready", port: server.addr.port });
  } catch (error) {
    console.error(error);
    await report({ type: "failed", message: error instanceof Error ? error.message : String(error) });
    native.exit(1);
  }
}

/** Stands in for `Deno.serve`: whatever port the function asks for, it gets one of its own on loopback. */
function serve(first: unknown, second?: unknown): Deno.HttpServer<Deno.NetAddr> {
  const options = typeof first === "object" && first !== null ? first as Record<string, unknown> : {};
  const handler = [first, second, options.handler].find((part) => typeof part === "function") as Handler;
  if (!handler) throw new TypeError("Cannot serve: found no handler, expected a function");
  const onError = options.onError as ((error: unknown) => Response) | undefined;
  server = native.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, ...(onError ? { onError } : {}) },
    (request, info) => {
      pending++;
      info.completed.then(settle, settle);
      return handler(request, info);
    },
  );
  return server;
}

/** Keeps a retired isolate alive until `promise` settles; as hosted, it lengthens no limit. */
function waitUntil<T>(promise: Promise<T>): Promise<T> {
  if (promise instanceof Promise) {
    pending++;
    // Thrown again, because a hosted isolate dies of a rejection that only waitUntil() saw.
    promise.then(settle, (error) => {
      settle();
      throw error;
    });
  }
  return promise;
}

function settle(): void {
  pending--;
  if (pending === 0 && !retired) report({ type: "resting" });
  reportIdle();
}

function reportIdle(): void {
  if (!retired || pending > 0) return;
  unload("early_drop");
  report({ type: "idle" });
}

function unload(reason: BeforeUnloadReason): void {
  if (unloading) return;
  unloading = true;
  dispatchEvent(new CustomEvent("beforeunload", { cancelable: true, detail: { reason } }));
}

function report(message: IsolateReport): Promise<void> {
  return reports.write(new TextEncoder().encode(JSON.stringify(message) + "\n")).catch(() => {});
}

function limitRuntime(): void {
  define(globalThis, "EdgeRuntime", Object.freeze({ waitUntil }));
  Reflect.deleteProperty(globalThis, "Worker");
  define(globalThis, "SharedArrayBuffer", ArrayBuffer);
  define(Deno, "serve", serve);
  for (const name of SILENT) define(Deno, name, () => {});
  for (const name of REFUSED.flatMap((name) => [name, `${name}Sync`])) refuse(name, "");
}

function refuseSync(): void {
  for (const name of REFUSED_SYNC) refuse(name, " on the current context");
}

function refuse(name: string, where: string): void {
  if (!(name in Deno)) return;
  define(Deno, name, () => {
    throw new Deno.errors.PermissionDenied(`Deno.${name} is blocklisted${where}`);
  });
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true });
}
