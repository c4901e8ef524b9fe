/**
 * The Deno that hosted Edge Functions speak. Out: the path of its binary, fetched from npm on first use. What runs in
 * `functions/` and `shared/` is type-checked, tested and served with it, so that a newer API cannot slip in.
 */
import { join } from "@std/path";
import { npmPackageDir } from "./npm_package.ts";

export const FLOOR_VERSION = "2.1.4";

const PACKAGES: Record<string, string> = {
  "linux-x86_64": "linux-x64-glibc",
  "linux-aarch64": "linux-arm64-glibc",
  "darwin-x86_64": "darwin-x64",
  "darwin-aarch64": "darwin-arm64",
};

export async function floorDeno(): Promise<string> {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const name = PACKAGES[platform];
  if (!name) {
    throw new Error(
      `Cannot run Deno ${FLOOR_VERSION} here: found ${platform}, expected ${
        Object.keys(PACKAGES).join(", ")
      }`,
    );
  }
  const path = join(await npmPackageDir(`@deno/${name}@${FLOOR_VERSION}`), "deno");
  // npm's cache keeps files but not always the right to run them.
  const { mode } = await Deno.stat(path);
  if (mode !== null && (mode & 0o111) === 0) await Deno.chmod(path, mode | 0o755);
  return path;
}

/** What this Deno needs in its environment to download like a newer one: it leaves the system's certificates out. */
export function floorEnvironment(): Record<string, string> {
  return { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "system,mozilla" };
}
