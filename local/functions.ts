/**
 * Stands in for the Edge Functions runtime. In: `supabase/config.toml` and the project's keys. Out: a `Service` that runs
 * each function on the runtime floor (Deno 2.1.4) in a process of its own and holds it to the hosted limits.
 *
 * How the limits are counted: the operating system is asked every 40 ms for each isolate's process. CPU is user and
 * system time of the thread that runs the JavaScript, as hosted, since the function was ready (the whole process uses up
 * to half as much again for compiling and collecting garbage); wall clock starts with the first request; memory is the
 * anonymous resident memory above what the bare runtime had before the function's modules were loaded.
 *
 * As hosted: one isolate takes all requests of a function until it retires (half of the CPU time or of the wall clock);
 * a retired one ends when it is idle (`early_drop`); `beforeunload` comes at 90 % of a limit; then SIGKILL. The path that
 * a function sees starts with its name.
 * Left out: rate limits of function-to-function calls, the size of /tmp, regions, websockets, bundling (code is read from disk, and read
 * again after a change), log limits, `beforeunload` for a function that never yields to its event loop. `node:fs` is
 * not restricted. A response that is compressed by the function itself arrives decompressed.
 */
import { dirname, join, resolve } from "@std/path";
import { floorDeno } from "./deno_floor.ts";
import { failure, forward } from "./functions/forward.ts";
import { fetchDependencies } from "./functions/fetch_dependencies.ts";
import { type ExitReason, Isolate, type IsolateState, startControlServer } from "./functions/isolate.ts";
import { type ExitRecord, HOSTED_LIMITS, type Limits, Pool } from "./functions/pool.ts";
import { type FunctionDefinition, readFunctions } from "./functions/read_functions.ts";
import { readUsage } from "./functions/read_usage.ts";
import { watchCode } from "./functions/watch_code.ts";
import type { Keys } from "./keys.ts";
import type { Service, ServiceCall } from "./service.ts";

export type { ExitReason, ExitRecord, Limits };

export interface FunctionsOptions {
  configPath: string;
  keys: Pick<Keys, "publishableKey" | "secretKey" | "jwks">;
  /** Where functions reach the project; asked for at each boot of an isolate. */
  gatewayUrl(): string;
  /** Added to the environment that hosted functions have; `SUPABASE_DB_URL` belongs here. */
  env: Record<string, string>;
  /** Other limits than the hosted ones, for all functions. */
  limits?: Partial<Limits>;
  /** Where `functions.log` is written; functions cannot read this folder. */
  logDir: string;
  /** Called for each line that a function writes. */
  onLog?(entry: { name: string; id: string; line: string }): void;
  /** Load changed code for the next request. @default false */
  watch?: boolean;
}

export interface IsolateInfo {
  id: string;
  pid: number;
  state: IsolateState;
  /** Since the function was ready. */
  cpuMs: number;
  /** Above the bare runtime's. */
  memoryBytes: number;
  unanswered: number;
}

/** For tests and for the curious: what runs, and ways to end it. */
export interface FunctionsControl {
  /** Kills the function's isolates that serve or finish work, as a crash of the platform would. */
  kill(name: string): Promise<void>;
  isolates(name: string): Promise<IsolateInfo[]>;
  /** Every isolate that has ended, oldest first; at most the last 1000. */
  exits: readonly ExitRecord[];
  /** Called for each isolate that ends from now on; the answer takes the listener away. */
  onExit(listener: (record: ExitRecord) => void): () => void;
  /** Other limits for one function, from the next look on; null for the usual ones. */
  setLimits(name: string, limits: Partial<Limits> | null): void;
}

export interface FunctionsService extends Service {
  /** The names of all functions. */
  names: string[];
  control: FunctionsControl;
}

const SAMPLE_MS = 40;
const KEPT_EXITS = 1000;
const METHODS = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export async function startFunctions(options: FunctionsOptions): Promise<FunctionsService> {
  const definitions = await readFunctions(options.configPath);
  const projectDir = dirname(dirname(resolve(options.configPath)));
  const logDir = resolve(options.logDir);
  const deno = await floorDeno();
  await fetchDependencies(deno, definitions);
  const limits = { ...HOSTED_LIMITS, ...options.limits };
  const control = startControlServer();
  const http = Deno.createHttpClient({ allowHost: true, poolMaxIdlePerHost: 64 });
  const log = await Deno.open(join(logDir, "functions.log"), { create: true, append: true });
  const exits: ExitRecord[] = [];
  let stopped = false;
  const exitListeners = new Set<(record: ExitRecord) => void>();

  function writeLog(entry: { name: string; id: string; line: string }): void {
    // What an isolate wrote at its very end may come after the stop.
    if (stopped) return;
    log.writeSync(new TextEncoder().encode(`${new Date().toISOString()} ${entry.name} ${entry.line}\n`));
    options.onLog?.(entry);
  }

  function onExit(record: ExitRecord): void {
    exits.push(record);
    if (exits.length > KEPT_EXITS) exits.shift();
    const used = `${record.cpuMs} ms CPU, ${Math.round(record.memoryBytes / 1048576)} MB`;
    writeLog({
      name: record.name,
      id: record.id,
      line: `isolate ${record.pid} ended: ${record.reason} (${used})`,
    });
    for (const listener of exitListeners) listener(record);
  }

  function boot(definition: FunctionDefinition): { isolate: Isolate; ready: Promise<void> } {
    const isolate: Isolate = new Isolate(definition, {
      deno,
      control,
      env: environment(definition, options),
      readable: projectDir,
      hidden: logDir,
      heapMb: Math.ceil(limits.memoryBytes / 1048576),
      onLine: (line) => writeLog({ name: definition.name, id: isolate.id, line }),
    });
    return { isolate, ready: isolate.boot() };
  }

  const pools = new Map(definitions.map((definition) => {
    const pool = new Pool(() => boot(definition), { limits, onExit });
    return [definition.name, { definition, pool }];
  }));

  async function handle(call: ServiceCall): Promise<Response> {
    const [, name = ""] = call.path.split("/");
    const found = pools.get(name);
    if (!found) {
      return failure(404, { code: "NOT_FOUND", message: `Requested function was not found: "${name}"` });
    }
    const { method } = call.request;
    if (!METHODS.has(method)) {
      return failure(405, { code: "METHOD_NOT_ALLOWED", message: `Method not allowed: "${method}"` });
    }
    if (found.definition.verifyJwt && method !== "OPTIONS" && !call.claims) {
      return call.token === null
        ? failure(401, { code: "UNAUTHORIZED_NO_AUTH_HEADER", message: "Missing authorization header" })
        : failure(401, { code: "UNAUTHORIZED_INVALID_JWT_FORMAT", message: "Invalid JWT" });
    }
    return await forward(call, {
      pool: found.pool,
      http,
      onError: ({ name, id }, error) => writeLog({ name, id, line: `request failed: ${error}` }),
    });
  }

  async function sample(): Promise<void> {
    const all = [...pools.values()].flatMap(({ pool }) => [...pool.isolates]);
    const usages = await readUsage(all.map(({ pid }) => pid));
    for (const isolate of all) isolate.usage = usages.get(isolate.pid) ?? isolate.usage;
  }

  let looking = false;
  const timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    await sample();
    for (const { pool } of pools.values()) pool.enforce();
    looking = false;
  }, SAMPLE_MS);
  const watcher = options.watch
    ? watchCode(projectDir, () => pools.forEach(({ pool }) => pool.reload()))
    : null;

  function poolOf(name: string): Pool {
    const found = pools.get(name);
    if (found) return found.pool;
    throw new Error(`Cannot find the function "${name}", expected one of ${[...pools.keys()].join(", ")}`);
  }

  return {
    names: [...pools.keys()],
    handle,
    control: {
      kill: (name) => poolOf(name).kill("killed"),
      async isolates(name) {
        await sample();
        return [...poolOf(name).isolates].map(({ id, pid, state, cpuMs, memoryBytes, unanswered }) => (
          { id, pid, state, cpuMs, memoryBytes, unanswered }
        ));
      },
      exits,
      onExit(listener) {
        exitListeners.add(listener);
        return () => void exitListeners.delete(listener);
      },
      setLimits(name, changed) {
        poolOf(name).limits = { ...limits, ...changed };
      },
    },
    async stop() {
      clearInterval(timer);
      watcher?.close();
      await Promise.all([...pools.values()].map(({ pool }) => pool.close()));
      stopped = true;
      control.close();
      http.close();
      log.close();
    },
  };
}

function environment(definition: FunctionDefinition, options: FunctionsOptions): Record<string, string> {
  const { keys } = options;
  return {
    SUPABASE_URL: options.gatewayUrl(),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    SUPABASE_JWKS: JSON.stringify(keys.jwks),
    SUPABASE_FUNCTION_SLUG: definition.name,
    SB_REGION: "local",
    ...options.env,
  };
}
