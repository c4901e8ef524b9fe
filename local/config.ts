/**
 * The project's `supabase/config.toml`. In: its path. Out: the part that the local stack follows. Whatever else the
 * Supabase CLI reads there is left alone.
 */
import { parse } from "npm:deno-std@1.4.0/toml/parse.js";

export interface Config {
  api: { schemas: string[]; extra_search_path: string[]; max_rows: number };
  functions: Record<
    string,
    { enabled: boolean; verify_jwt: boolean; entrypoint: string; import_map: string }
  >;
}

export async function readConfig(path: string): Promise<Config> {
  const file = parse(await Deno.readTextFile(path)) as {
    api?: Partial<Config["api"]>;
    functions?: Record<string, Partial<Config["functions"][string]>>;
  };
  const functions: Config["functions"] = {};
  for (const [name, given] of Object.entries(file.functions ?? {})) {
    functions[name] = {
      enabled: given.enabled ?? true,
      verify_jwt: given.verify_jwt ?? true,
      entrypoint: given.entrypoint ?? `./functions/${name}/index.ts`,
      import_map: given.import_map ?? `./functions/${name}/deno.json`,
    };
  }
  return {
    api: {
      schemas: file.api?.schemas ?? ["public", "graphql_public"],
      extra_search_path: file.api?.extra_search_path ?? ["public", "extensions"],
      max_rows: file.api?.max_rows ?? 1000,
    },
    functions,
  };
}
