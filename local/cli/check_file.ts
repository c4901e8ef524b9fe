/**
 * Upload and check of one file, with their progress. In: the file and what it is. Out: the job of the check when it has
 * ended, however it ended; where the signal comes first it is cancelled.
 */
import type { ImportRequest, Job, Longshore } from "../../shared/client/mod.ts";
import { followJob } from "./follow_job.ts";
import { startProgressBar } from "./terminal/progress_bar.ts";
import { bytesText } from "./terminal/quantities.ts";

export interface CheckFileOptions {
  request: ImportRequest;
  /** Whose file it is. @default the person's only organization */
  orgId?: string;
  /** Cancels the job. */
  signal: AbortSignal;
}

export async function checkFile(
  longshore: Longshore,
  file: File,
  { request, ...options }: CheckFileOptions,
): Promise<Job> {
  const bar = startProgressBar("Uploading");
  const what = `${file.name}, ${bytesText(file.size)}`;
  bar.note(what);
  let job: Job;
  try {
    job = await longshore.startImport(file, request, options);
  } catch (error) {
    bar.end(`${what}, failed`, { failed: true });
    throw error;
  }
  bar.end(what);
  return await followJob(longshore, job, { label: "Checking", signal: options.signal });
}
