/**
 * Problems of an import, in the order of the file. In: the job's id, a page, a code. Out: at most 1,000 at once; the
 * database keeps the first 10,000 of a job, `downloadProblems()` has all.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import { fromSupabase } from "./client_error.ts";
import type { ImportProblem } from "./import_types.ts";

export interface ListProblemsOptions {
  /** Only problems with this code. */
  code?: string;
  /** How many at most. @default 1000 */
  limit?: number;
  /** How many to pass over. @default 0 */
  offset?: number;
}

export async function listProblems(
  supabase: SupabaseClient,
  jobId: string,
  { code, limit = 1000, offset = 0 }: ListProblemsOptions = {},
): Promise<ImportProblem[]> {
  let query = supabase.schema("jobs").from("import_problems")
    .select("job_id,row,line,sheet,cell,column,heading,code,message,value")
    .eq("job_id", jobId);
  if (code !== undefined) query = query.eq("code", code);
  const { data, error, status } = await query.order("row").order("id").range(offset, offset + limit - 1);
  if (error) throw fromSupabase(error, { task: `read the problems of the job "${jobId}"`, status });
  return data as ImportProblem[];
}
