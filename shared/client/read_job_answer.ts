/** The job in an answer `{job}`. In: JSON. Out: the job; anything else is an error, never half a job. */
import type { Job } from "../jobs/job.ts";
import { isRecord, LongshoreClientError } from "./client_error.ts";

export function readJobAnswer(answer: unknown): Job {
  const job = isRecord(answer) ? answer["job"] : undefined;
  if (isJob(job)) return job;
  throw new LongshoreClientError("internal", "Cannot read the answer: found no job in it, expected one");
}

/** Whether this is a job as tables, functions and channels give it. */
export function isJob(value: unknown): value is Job {
  return isRecord(value) && typeof value["id"] === "string" && typeof value["state"] === "string" &&
    typeof value["version"] === "number";
}
