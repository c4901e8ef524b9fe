/**
 * A Postgres that speaks TLS, for tests of the way to it. Out: its address and the certificates around it. `here` is a
 * certificate for its address, `elsewhere` one for another host; both are signed by `ca`.
 */
import { join } from "@std/path";
import postgres from "postgres";
import { clusterDir, startPostgres } from "../../local/postgres.ts";

const FIXTURES = new URL("../fixtures/tls/", import.meta.url);

type Certificate = "here" | "elsewhere";

export interface TlsDatabase extends AsyncDisposable {
  /** The address, with this `sslmode`. */
  url(sslmode: string): string;
  /** Which certificate it shows from now on, or that it speaks no TLS. @default "here" */
  show(name: Certificate | "nothing"): Promise<void>;
}

/** The PEM of a certificate authority: the one that signed, or one that did not. */
export function readCa(name: "ca" | "other_ca"): string {
  return Deno.readTextFileSync(new URL(`${name}.crt`, FIXTURES));
}

export async function startTlsDatabase(): Promise<TlsDatabase> {
  const dir = await Deno.makeTempDir({ prefix: "longshore_tls_" });
  // Postgres runs as another user when the tests run as root.
  await Deno.chmod(dir, 0o755);
  const dataDir = join(dir, "postgres");
  const server = await startPostgres({ dataDir, durable: false });
  const admin = postgres(server.url("supabase_admin"), { max: 1, onnotice: () => {} });
  const { uid, gid } = await Deno.stat(await clusterDir(dataDir));
  for (const name of ["here.crt", "here.key", "elsewhere.crt", "elsewhere.key"]) {
    const path = join(await clusterDir(dataDir), name);
    await Deno.copyFile(new URL(name, FIXTURES), path);
    await Deno.chmod(path, 0o600);
    await Deno.chown(path, uid, gid);
  }
  const show = async (name: Certificate | "nothing") => {
    if (name === "nothing") await admin`alter system set ssl = off`;
    else {
      await admin.unsafe(`alter system set ssl_cert_file = '${name}.crt'`);
      await admin.unsafe(`alter system set ssl_key_file = '${name}.key'`);
      await admin`alter system set ssl = on`;
    }
    const [before] = await admin`select pg_conf_load_time() as at`;
    await admin`select pg_reload_conf()`;
    for (let tries = 0; tries < 100; tries++) {
      const [now] = await admin`select pg_conf_load_time() > ${before!.at} as loaded`;
      if (now!.loaded) return;
    }
    throw new Error("Cannot show another certificate: the settings were not loaded");
  };
  await show("here");
  return {
    url: (sslmode) => `${server.url("supabase_admin")}?sslmode=${sslmode}`,
    show,
    async [Symbol.asyncDispose]() {
      await admin.end();
      await server.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
