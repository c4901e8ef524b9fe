/**
 * The functions that `supabase/config.toml` names. In: its path. Out: name, files and whether a JWT is asked for, with
 * absolute paths. Functions that the file does not name, and settings for bundling, are not looked at.
 */
import { dirname, join, resolve } from "@std/path";
import { parse } from "npm:deno-std@1.4.0/toml/parse.js";

export interface FunctionDefinition {
  name: string;
  entrypoint: string;
  /** Null where there is none. */
  importMap: string | null;
  verifyJwt: boolean;
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

export async function readFunctions(configPath: string): Promise<FunctionDefinition[]> {
  const config = parse(await Deno.readTextFile(configPath)) as { functions?: Record<string, FunctionTable> };
  const root = dirname(resolve(configPath));
  const found: FunctionDefinition[] = [];
  for (const [name, table] of Object.entries(config.functions ?? {})) {
    if (!NAME.test(name)) {
      throw new Error(`Cannot read "${configPath}": found the function "${name}", expected ${NAME}`);
    }
    if (table.enabled === false) continue;
    const entrypoint = table.entrypoint
      ? resolve(root, table.entrypoint)
      : join(root, "functions", name, "index.ts");
    found.push({
      name,
      entrypoint,
      importMap: table.import_map ? resolve(root, table.import_map) : await besideEntrypoint(entrypoint),
      verifyJwt: table.verify_jwt ?? true,
    });
  }
  return found;
}

interface FunctionTable {
  enabled?: boolean;
  verify_jwt?: boolean;
  entrypoint?: string;
  import_map?: string;
}

async function besideEntrypoint(entrypoint: string): Promise<string | null> {
  for (const name of ["deno.json", "deno.jsonc"]) {
    const path = join(dirname(entrypoint), name);
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  return null;
}
