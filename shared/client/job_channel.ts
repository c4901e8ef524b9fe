/**
 * The private channel of one job. In: a client and a job's id. Out: calls to the listener, until it is closed. It knows
 * how supabase-js behaves: a channel with a name is there once a client, so watchers of one job share it; a rejected or
 * broken channel comes back by itself, one that the server has closed (its token ran out) or that nobody answered does
 * not and is opened anew. It promises no message: see `watch()`.
 */
import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";
import type { Job } from "../jobs/job.ts";
import { isJob } from "./read_job_answer.ts";

/** The job as channels carry it: too large and too private for a message are left out. */
export type JobMessage = Omit<Job, "params">;

export interface JobListener {
  /** Joined, for the first time or again: what was sent before did not arrive. */
  onJoined(): void;
  /** Not joined any more, or refused; it goes on trying. */
  onLost(): void;
  onMessage(message: JobMessage): void;
}

interface Feed {
  readonly supabase: SupabaseClient;
  readonly jobId: string;
  readonly listeners: Set<JobListener>;
  /** Null between two channels. */
  channel: RealtimeChannel | null;
  joined: boolean;
  reopened: number;
  reopening: ReturnType<typeof setTimeout> | undefined;
}

const REOPEN_MS = [1_000, 2_000, 5_000, 10_000];

const feedsByClient = new WeakMap<SupabaseClient, Map<string, Feed>>();

/** Returns what closes it. */
export function openJobChannel(
  supabase: SupabaseClient,
  jobId: string,
  { listener }: { listener: JobListener },
): () => void {
  const feeds = feedsByClient.get(supabase) ?? new Map<string, Feed>();
  feedsByClient.set(supabase, feeds);
  let feed = feeds.get(jobId);
  if (feed) {
    feed.listeners.add(listener);
    if (feed.joined) listener.onJoined();
  } else {
    feed = {
      supabase,
      jobId,
      listeners: new Set([listener]),
      channel: null,
      joined: false,
      reopened: 0,
      reopening: undefined,
    };
    feeds.set(jobId, feed);
    join(feed);
  }
  const opened = feed;
  return () => {
    opened.listeners.delete(listener);
    if (opened.listeners.size > 0 || feeds.get(jobId) !== opened) return;
    feeds.delete(jobId);
    clearTimeout(opened.reopening);
    leave(opened);
  };
}

async function join(feed: Feed): Promise<void> {
  await refreshToken(feed);
  if (feed.listeners.size === 0) return;
  try {
    subscribe(feed);
  } catch {
    // There may be no websocket here at all; the row can be read all the same.
    reopen(feed);
  }
}

function subscribe(feed: Feed): void {
  const channel = feed.supabase.channel(`job:${feed.jobId}`, { config: { private: true } });
  feed.channel = channel;
  channel
    .on("broadcast", { event: "progress" }, ({ payload }) => {
      if (feed.channel !== channel || !isJob(payload) || payload.id !== feed.jobId) return;
      for (const listener of [...feed.listeners]) listener.onMessage(payload);
    })
    .subscribe((status) => {
      // The callback of a channel that was left still comes.
      if (feed.channel !== channel) return;
      if (status === "SUBSCRIBED") {
        feed.joined = true;
        feed.reopened = 0;
        for (const listener of [...feed.listeners]) listener.onJoined();
        return;
      }
      feed.joined = false;
      for (const listener of [...feed.listeners]) listener.onLost();
      // It comes back with the token it has; a refused one may have run out.
      if (status === "CHANNEL_ERROR") refreshToken(feed);
      else reopen(feed);
    });
}

function reopen(feed: Feed): void {
  leave(feed);
  clearTimeout(feed.reopening);
  const delay = REOPEN_MS[Math.min(feed.reopened++, REOPEN_MS.length - 1)];
  feed.reopening = setTimeout(() => join(feed), delay);
}

function leave(feed: Feed): void {
  const { channel } = feed;
  feed.channel = null;
  feed.joined = false;
  if (channel) feed.supabase.removeChannel(channel).catch(() => {});
}

/** Asks the session, or the client's `accessToken` option, which renew a token that has run out. */
async function refreshToken({ supabase }: Feed): Promise<void> {
  await supabase.realtime.setAuth().catch(() => {});
}
