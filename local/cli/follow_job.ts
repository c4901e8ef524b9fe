/**
 * A job with its progress bar. In: a job that has been started. Out: the job when it has ended, however it ended. Where
 * the signal comes first the job is cancelled, and that is how it ended.
 */
import { hasEnded, type Job, type Longshore } from "../../shared/client/mod.ts";
import { secondsText } from "./terminal/quantities.ts";
import { startProgressBar } from "./terminal/progress_bar.ts";

export interface FollowJobOptions {
  /** What the bar says it is. */
  label: string;
  /** Cancels the job. */
  signal?: AbortSignal;
}

/** An app waits for minutes while a laptop sleeps; who sits at a terminal wants to know within one. */
const FAILED_READS = 5;

export async function followJob(
  longshore: Longshore,
  job: Job,
  { label, signal }: FollowJobOptions,
): Promise<Job> {
  const bar = startProgressBar(label);
  const began = performance.now();
  try {
    const ended = await longshore.watch(job.id, (now) => {
      if (!hasEnded(now)) bar.show(now.progress);
    }, { signal, failedReads: FAILED_READS });
    const took = secondsText((performance.now() - began) / 1000);
    bar.end(`${ended.state === "succeeded" ? "done" : ended.state} in ${took}`, {
      failed: ended.state !== "succeeded",
    });
    return ended;
  } catch (error) {
    if (!signal?.aborted) {
      bar.end("lost sight of the job", { failed: true });
      throw error;
    }
    bar.note("cancelling …");
    try {
      const ended = await longshore.cancel(job.id);
      bar.end(ended.state, { failed: true });
      return ended;
    } catch (failure) {
      bar.end("not cancelled", { failed: true });
      throw failure;
    }
  }
}
