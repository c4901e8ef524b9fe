/**
 * Follows a job until it ends. In: its id, and what to call with every newer state of it. Out: the whole job, ended. It
 * joins the job's channel, then reads the row, then takes what the channel brings, if it is newer; it reads again after a
 * gap, after each rejoin and when nothing comes. So a lost message costs time, never the truth.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { LongshoreClientError } from "./client_error.ts";
import { getJob } from "./get_job.ts";
import { type JobMessage, openJobChannel } from "./job_channel.ts";

export interface WatchOptions {
  /** Ends the watching, not the job; `watch()` then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** The row is read after this long without a message, in milliseconds. @default 15000 */
  silenceMs?: number;
  /** Gives up when the row could not be read this often in a row, a few minutes in all. @default 20 */
  failedReads?: number;
}

/** How long the row waits for the channel, and how often it is read while there is none, in milliseconds. */
const UNJOINED_MS = 2_500;
/** A session that is being renewed is refused once or twice, not more. */
const REFUSED_READS = 4;

export async function watchJob(
  supabase: SupabaseClient,
  jobId: string,
  { onJob = () => {}, signal, silenceMs = 15_000, failedReads = 20 }:
    & { onJob?: ((job: Job) => void) | undefined }
    & WatchOptions = {},
): Promise<Job> {
  let job: Job | null = null;
  let newest: JobMessage | null = null;
  let joined = false;
  let stale = false;
  let failures = 0;
  const bell = makeBell();

  signal?.throwIfAborted();
  signal?.addEventListener("abort", bell.ring);
  const close = openJobChannel(supabase, jobId, {
    listener: {
      onJoined() {
        joined = stale = true;
        bell.ring();
      },
      onLost() {
        joined = false;
      },
      onMessage(message) {
        if (message.version <= Math.max(job?.version ?? 0, newest?.version ?? 0)) return;
        newest = message;
        bell.ring();
      },
    },
  });
  try {
    while (true) {
      const patience = joined ? silenceMs : Math.min(silenceMs, UNJOINED_MS);
      const rang = await bell.wait(failures > 0 ? Math.min(silenceMs, 500 * 2 ** failures) : patience);
      signal?.throwIfAborted();

      const message = take();
      if (job && message && message.version > job.version) {
        // A gap: the message is the newer one all the same, but whoever counts on every state asks for the row.
        if (message.version > job.version + 1) stale = true;
        job = withMessage(job, message);
        onJob(job);
      }
      if (rang && !stale && !(job && hasEnded(job))) continue;

      stale = false;
      const row: Job | null = await readRow();
      if (row && row.version >= (job?.version ?? 0)) {
        const news = row.version > (job?.version ?? 0);
        job = row;
        if (news) onJob(job);
        if (hasEnded(row)) return row;
      }
    }
  } finally {
    signal?.removeEventListener("abort", bell.ring);
    bell.silence();
    close();
  }

  function take(): JobMessage | null {
    const message = newest;
    newest = null;
    return message;
  }

  /** Null where it could not be read this time. */
  async function readRow(): Promise<Job | null> {
    try {
      const row = await getJob(supabase, jobId, { signal, attempts: 1 });
      failures = 0;
      return row;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof LongshoreClientError)) throw error;
      const limit = error.passing ? failedReads : error.status === 401 ? REFUSED_READS : 1;
      if (++failures >= limit) throw error;
      return null;
    }
  }
}

/** Whether it has ended; it may go on after a retry. */
export function hasEnded(job: Pick<Job, "state">): boolean {
  return job.state === "succeeded" || job.state === "failed" || job.state === "cancelled";
}

/** What a message leaves out stays as the row said it. */
function withMessage(job: Job, message: JobMessage): Job {
  return { ...message, params: job.params };
}

/** Wakes one waiter; a ring that nobody waits for is kept. */
function makeBell() {
  let rung = false;
  let wake: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ring = () => {
    rung = true;
    wake?.();
  };
  /** Whether it was rung; false after so many milliseconds. */
  const wait = async (ms: number): Promise<boolean> => {
    if (!rung) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      wake = null;
    }
    const answer = rung;
    rung = false;
    return answer;
  };
  return { ring, wait, silence: () => clearTimeout(timer) };
}
