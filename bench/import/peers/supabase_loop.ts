/**
 * The program that people write first: a CSV parsed by Papa Parse and inserted as the person through supabase-js, so many
 * rows a request. With one row a request it looks the row's area up before. It checks nothing and stops at an error.
 * A process of its own; prints the milliseconds from reading the file to the last answer.
 */
import { fromFileUrl } from "@std/path";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import Papa from "papaparse";
import type { Site } from "../open_site.ts";
import { runProgram } from "./run_program.ts";

interface LoopInput {
  url: string;
  key: string;
  token: string;
  projectId: string;
  path: string;
  rowsPerRequest: number;
}

/** Milliseconds that the loop took. */
export async function insertWithSupabase(
  { stack, token, projectId }: Site,
  { path, rowsPerRequest }: Pick<LoopInput, "path" | "rowsPerRequest">,
): Promise<number> {
  const input: LoopInput = {
    url: stack.url,
    key: stack.publishableKey,
    token,
    projectId,
    path,
    rowsPerRequest,
  };
  const script = fromFileUrl(import.meta.url);
  return Number(await runProgram(Deno.execPath(), ["run", "-A", "--quiet", script, JSON.stringify(input)]));
}

if (import.meta.main) {
  const input: LoopInput = JSON.parse(Deno.args[0] ?? "null");
  const supabase = createClient(input.url, input.key, { accessToken: () => Promise.resolve(input.token) });
  const from = performance.now();
  await insertFile(supabase, input);
  console.log(Math.round(performance.now() - from));
}

async function insertFile(
  supabase: SupabaseClient,
  { path, projectId, rowsPerRequest }: LoopInput,
): Promise<void> {
  const parsed = Papa.parse(await Deno.readTextFile(path), { header: true, skipEmptyLines: true });
  const rows: Record<string, string>[] = parsed.data;
  for (let start = 0; start < rows.length; start += rowsPerRequest) {
    const batch = rows.slice(start, start + rowsPerRequest);
    if (rowsPerRequest === 1) await lookUp(supabase, batch[0]!);
    await supabase.from("bench_rows")
      .insert(batch.map((row) => ({ ...row, project_id: projectId })))
      .throwOnError();
  }
}

async function lookUp(supabase: SupabaseClient, row: Record<string, string>): Promise<void> {
  await supabase.from("bench_areas").select("name").eq("name", row.area).single().throwOnError();
}
