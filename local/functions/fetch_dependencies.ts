/**
 * Fetches what the functions import into Deno's cache, before their first isolate starts: an isolate has a bare
 * environment, without the proxies and certificates that a download may need. Takes a moment when all is there.
 */
import { floorEnvironment } from "../deno_floor.ts";
import type { FunctionDefinition } from "./read_functions.ts";

export async function fetchDependencies(
  deno: string,
  definitions: readonly FunctionDefinition[],
): Promise<void> {
  const byMap = Map.groupBy(definitions, ({ importMap }) => importMap);
  for (const [importMap, group] of byMap) {
    const { success, stderr } = await new Deno.Command(deno, {
      args: [
        "cache",
        "--quiet",
        "--no-config",
        "--no-lock",
        "--node-modules-dir=none",
        ...(importMap ? [`--import-map=${importMap}`] : []),
        ...group.map(({ entrypoint }) => entrypoint),
      ],
      env: floorEnvironment(),
    }).output();
    // A function that does not load says so when it is called; the others are not to suffer.
    if (!success) console.error(new TextDecoder().decode(stderr).split("\n", 1)[0]);
  }
}
