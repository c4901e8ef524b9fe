/**
 * The whole local project. In: a port and a data folder. Out: Postgres with the platform's schemas and the project's
 * migrations, PostgREST, and stand-ins for the rest behind one gateway, all answering. `DIR/stack.json` tells other
 * programs how to reach it and is there only while it runs.
 */
import { fromFileUrl, join, resolve } from "@std/path";
import { startAuth } from "./auth.ts";
import { readConfig } from "./config.ts";
import { type FunctionsControl, startFunctions } from "./functions.ts";
import { type GatewayOptions, startGateway } from "./gateway.ts";
import { type Keys, loadKeys } from "./keys.ts";
import { endLeftovers } from "./leftovers.ts";
import { lockDataDir } from "./lock_data_dir.ts";
import { migrate } from "./migrate.ts";
import { startPgCron } from "./pg_cron.ts";
import { installPgExtensions } from "./pg_extensions.ts";
import { startPgNet } from "./pg_net.ts";
import { installPlatform } from "./platform.ts";
import { clusterDir, freePort, startPostgres } from "./postgres.ts";
import { startPostgrest } from "./postgrest.ts";

import { startRealtime } from "./realtime.ts";
import { setVaultSecrets } from "./set_vault_secrets.ts";
import { startStorage } from "./storage.ts";

export interface StackOptions {
  /** The gateway's TCP port on 127.0.0.1; 0 picks a free one. @default 54321 */
  port?: number;
  /** Where everything that lasts lies. @default ".local" in the project */
  dataDir?: string;
  /** Wipe the data first. @default false */
  fresh?: boolean;
  /** Survive a power cut; off only for throw-away stacks. @default true */
  durable?: boolean;
  /** The folder of migrations. @default "supabase/migrations" in the project */
  migrationsDir?: string;
  /** The file that names the functions and the API's schemas. @default "supabase/config.toml" in the project */
  configPath?: string;
}

export interface Stack {
  /** The gateway, such as `http://127.0.0.1:54321`. */
  url: string;
  /** The database as `postgres`. */
  dbUrl: string;
  /** The database as `longshore_worker`, the role that the functions log in as. */
  workerUrl: string;
  /** The database as superuser, for tests. */
  adminUrl: string;
  publishableKey: string;
  secretKey: string;
  jwks: Keys["jwks"];
  /** The names of the Edge Functions. */
  functions: string[];
  functionsControl: FunctionsControl;
  /** The data folder, resolved. */
  dataDir: string;
  /** Resolves with the name of a process that ended although nobody stopped the stack. */
  broken: Promise<string>;
  stop(): Promise<void>;
}

/** `stack.json`. */
export interface StackFile {
  url: string;
  db_url: string;
  publishable_key: string;
  secret_key: string;
  jwks: Keys["jwks"];
  functions: string[];
}

const PROJECT_DIR = fromFileUrl(new URL("..", import.meta.url));

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dataDir = resolve(options.dataDir ?? join(PROJECT_DIR, ".local"));
  const configPath = options.configPath ?? join(PROJECT_DIR, "supabase/config.toml");
  // Whatever is started is noted here at once, so that a start that fails half-way leaves nothing running.
  await using starting = new AsyncDisposableStack();

  await Deno.mkdir(dataDir, { recursive: true }).catch((cause) => {
    throw new Error(`Cannot make the data folder "${dataDir}": ${cause.message}`, { cause });
  });
  starting.use(await lockDataDir(dataDir));
  await Deno.remove(join(dataDir, "stack.json")).catch(() => {});
  await endLeftovers(dataDir);
  if (options.fresh) await wipe(dataDir);

  const keys = await loadKeys(join(dataDir, "keys.json"));
  const { api } = await readConfig(configPath);
  const services: GatewayOptions["services"] = {};
  // First of all, since a taken port is the likeliest mistake.
  const gateway = startGateway({ port: options.port ?? 54321, keys, services });
  starting.defer(() => gateway.stop());

  const database = await startPostgres({
    dataDir: join(dataDir, "db"),
    durable: options.durable ?? true,
    port: databasePort(options.port ?? 54321),
  });
  starting.defer(() => database.stop());
  const adminUrl = database.url("supabase_admin");
  const dbUrl = database.url("postgres");
  const workerUrl = database.url("longshore_worker");
  await installPgExtensions(database.installDir);
  await installPlatform(adminUrl);
  await migrate({ adminUrl, dir: options.migrationsDir ?? join(PROJECT_DIR, "supabase/migrations") });
  await setVaultSecrets(adminUrl, {
    longshore_functions_url: `${gateway.url}/functions/v1`,
    longshore_secret_key: keys.secretKey,
  });

  const started = async <T extends { stop(): Promise<void> }>(part: Promise<T>): Promise<T> => {
    const running = await part;
    starting.defer(() => running.stop());
    return running;
  };
  const parts = [
    started(startPostgrest({
      dbUrl: database.url("authenticator"),
      keys,
      schemas: api.schemas,
      extraSearchPath: api.extra_search_path,
      maxRows: api.max_rows,
      logPath: join(dataDir, "postgrest.log"),
      pidPath: join(dataDir, "postgrest.pid"),
    })),
    started(startAuth({ adminUrl, keys, siteUrl: gateway.url })),
    started(startStorage({ adminUrl, keys, dir: join(dataDir, "storage") })),
    started(startRealtime({ adminUrl, keys })),
    started(startFunctions({
      configPath,
      keys,
      gatewayUrl: () => gateway.url,
      env: { SUPABASE_DB_URL: dbUrl, LONGSHORE_DB_URL: workerUrl },
      logDir: dataDir,
    })),
    started(startPgNet({ adminUrl })),
  ] as const;
  // If one fails, the others must have been noted before everything is stopped.
  await Promise.allSettled(parts);
  const [rest, auth, storage, realtime, functions] = await Promise.all(parts);
  Object.assign(services, { rest, auth, storage, realtime, functions });
  // Last, since its jobs call the functions.
  await started(startPgCron({ adminUrl }));

  const stackFile: StackFile = {
    url: gateway.url,
    db_url: dbUrl,
    publishable_key: keys.publishableKey,
    secret_key: keys.secretKey,
    jwks: keys.jwks,
    functions: functions.names,
  };
  await writeStackFile(join(dataDir, "stack.json"), stackFile);
  starting.defer(() => Deno.remove(join(dataDir, "stack.json")).catch(() => {}));

  const running = starting.move();
  return {
    url: gateway.url,
    dbUrl,
    workerUrl,
    adminUrl,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    jwks: keys.jwks,
    functions: functions.names,
    functionsControl: functions.control,
    dataDir,
    broken: Promise.race([database.ended.then(() => "Postgres"), rest.ended.then(() => "PostgREST")]),
    stop: () => running.disposeAsync(),
  };
}

/** The port after the gateway's, as the Supabase CLI has it, so that saved connections stay good; else a free one. */
function databasePort(gatewayPort: number): number {
  if (gatewayPort === 0) return freePort();
  try {
    Deno.listen({ hostname: "127.0.0.1", port: gatewayPort + 1 }).close();
    return gatewayPort + 1;
  } catch {
    return freePort();
  }
}

async function wipe(dataDir: string): Promise<void> {
  await Deno.remove(await clusterDir(join(dataDir, "db")), { recursive: true }).catch(() => {});
  for await (const entry of Deno.readDir(dataDir)) {
    if (entry.name !== "lock") await Deno.remove(join(dataDir, entry.name), { recursive: true });
  }
}

/** In one step, so that whoever sees the file sees all of it. */
async function writeStackFile(path: string, facts: StackFile): Promise<void> {
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(facts, null, 2) + "\n", { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
}
