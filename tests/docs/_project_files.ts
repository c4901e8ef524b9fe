/** The project's files as the tests of its documents read them; paths are from the project's root. */
import { fromFileUrl, join } from "@std/path";

export const PROJECT_DIR = fromFileUrl(new URL("../..", import.meta.url));

export async function read(path: string): Promise<string> {
  return await Deno.readTextFile(join(PROJECT_DIR, path));
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(join(PROJECT_DIR, path)).then(() => true, () => false);
}

/** The names of the files in a folder, without those below. */
export async function filesIn(dir: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(join(PROJECT_DIR, dir))) if (entry.isFile) names.push(entry.name);
  return names;
}

/** The paths of all documents. */
export async function documents(): Promise<string[]> {
  const paths = ["README.md", "ARCHITECTURE.md", "CHANGES-BACKEND.md"];
  for (const dir of ["docs", "docs/decisions"]) {
    paths.push(
      ...(await filesIn(dir)).filter((name) => name.endsWith(".md")).map((name) => `${dir}/${name}`),
    );
  }
  return paths;
}
