/**
 * The whole local project. In: a port and a data folder. Out: Postgres with the platform's schemas and the project's
 * migrations, PostgREST, and stand-ins for the rest behind one gateway, all answering. `DIR/stack.json` tells other
 * programs how to reach it and is there only while it runs.
 */
import { fromFileUrl, join, resolve } from "@std/path";
import postgres from "postgres";
import { startAuth } from "./auth.ts";
import { readConfig } from "./config.ts";
import { type GatewayOptions, startGateway } from "./gateway.ts";
import { type Keys, loadKeys } from "./keys.ts";
import { endLeftovers } from "./leftovers.ts";
import { migrate } from "./migrate.ts";
import { installPlatform } from "./platform.ts";
import { clusterDir, type Postgres, startPostgres } from "./postgres.ts";
import { startPostgrest } from "./postgrest.ts";

export interface StackOptions {
  /** The gateway's TCP port on 127.0.0.1; 0 picks a free one. @default 54321 */
  port?: number;
  /** Where everything that lasts lies. @default ".local" */
  dataDir?: string;
  /** Wipe the data first. @default false */
  fresh?: boolean;
  /** Survive a power cut; off only for throw-away stacks. @default true */
  durable?: boolean;
  /** The folder of migrations. @default "supabase/migrations" */
  migrationsDir?: string;
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
  /** Resolves with the name of a process that ended although nobody stopped the stack. */
  broken: Promise<string>;
  stop(): Promise<void>;
}

const PROJECT_DIR = fromFileUrl(new URL("..", import.meta.url));

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dataDir = resolve(options.dataDir ?? join(PROJECT_DIR, ".local"));
  // Whatever is started is also noted here, so that a start that fails half-way leaves nothing running.
  await using starting = new AsyncDisposableStack();

  await Deno.mkdir(dataDir, { recursive: true });
  starting.use(await lockDataDir(dataDir));
  const stackFile = join(dataDir, "stack.json");
  await Deno.remove(stackFile).catch(() => {});
  await endLeftovers(dataDir);
  if (options.fresh) await wipe(dataDir);

  const keys = await loadKeys(join(dataDir, "keys.json"));
  const config = await readConfig(join(PROJECT_DIR, "supabase/config.toml"));
  const services: GatewayOptions["services"] = {};
  const gateway = startGateway({ port: options.port ?? 54321, keys, services });
  starting.defer(() => gateway.stop());

  const database = await startDatabase(dataDir, options);
  starting.defer(() => database.stop());
  const adminUrl = database.url("supabase_admin");
  await installPlatform(adminUrl);
  await migrate({ adminUrl, dir: options.migrationsDir ?? join(PROJECT_DIR, "supabase/migrations") });
  await setSecrets(adminUrl, {
    longshore_functions_url: `${gateway.url}/functions/v1`,
    longshore_secret_key: keys.secretKey,
  });

  const [rest, auth] = await Promise.all([
    startPostgrest({
      dbUrl: database.url("authenticator"),
      keys,
      schemas: config.api.schemas,
      extraSearchPath: config.api.extra_search_path,
      maxRows: config.api.max_rows,
      logPath: join(dataDir, "postgrest.log"),
    }),
    startAuth({ adminUrl, keys, siteUrl: () => gateway.url }),
  ]);
  for (const service of [rest, auth]) starting.defer(() => service.stop());
  Object.assign(services, { rest, auth });
  await Deno.writeTextFile(join(dataDir, "postgrest.pid"), String(rest.pid));

  const functions = Object.entries(config.functions).filter(([, one]) => one.enabled).map(([name]) => name);
  const facts = {
    url: gateway.url,
    db_url: database.url("postgres"),
    publishable_key: keys.publishableKey,
    secret_key: keys.secretKey,
    jwks: keys.jwks,
    functions,
  };
  await Deno.writeTextFile(`${stackFile}.new`, JSON.stringify(facts, null, 2) + "\n", { mode: 0o600 });
  await Deno.rename(`${stackFile}.new`, stackFile);
  starting.defer(() => Deno.remove(stackFile).catch(() => {}));

  const running = starting.move();
  return {
    url: gateway.url,
    dbUrl: facts.db_url,
    workerUrl: database.url("longshore_worker"),
    adminUrl,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    jwks: keys.jwks,
    functions,
    broken: Promise.race([database.ended.then(() => "Postgres"), rest.ended.then(() => "PostgREST")]),
    stop: () => running.disposeAsync(),
  };
}

async function startDatabase(dataDir: string, options: StackOptions): Promise<Postgres> {
  return await startPostgres({
    dataDir: join(dataDir, "db"),
    durable: options.durable ?? true,
    settings: { wal_level: "logical" },
  });
}

/** Holds the folder for this process; the operating system lets go of it however the process ends. */
async function lockDataDir(dataDir: string): Promise<Deno.FsFile> {
  const lock = await Deno.open(join(dataDir, "lock"), { create: true, write: true });
  if (await lock.tryLock(true)) return lock;
  lock.close();
  throw new Error(
    `Cannot start on "${dataDir}": found another stack running on it, expected a folder of its own; ` +
      `stop that stack or choose another folder with --data DIR`,
  );
}

async function wipe(dataDir: string): Promise<void> {
  await Deno.remove(await clusterDir(join(dataDir, "db")), { recursive: true }).catch(() => {});
  for await (const entry of Deno.readDir(dataDir)) {
    if (entry.name !== "lock") await Deno.remove(join(dataDir, entry.name), { recursive: true });
  }
}

/** Puts in the Vault what the database needs to call the functions: address and key change from start to start. */
async function setSecrets(adminUrl: string, secrets: Record<string, string>): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    const [vault] = await sql`select to_regclass('vault.secrets') as secrets`;
    if (!vault?.secrets) return;
    for (const [name, secret] of Object.entries(secrets)) {
      const [known] = await sql<{ id: string }[]>`select id from vault.secrets where name = ${name}`;
      if (known) await sql`select vault.update_secret(${known.id}, ${secret})`;
      else await sql`select vault.create_secret(${secret}, ${name}, 'Set by the local stack at every start')`;
    }
  } finally {
    await sql.end();
  }
}
