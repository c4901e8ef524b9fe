/**
 * Stands in for pg_net's background worker. In: the database as superuser. Out: the requests that `net.http_*` queued, sent
 * after their commit, and the answers in `net._http_response`; both kept as unlogged tables, so a crash empties them.
 *
 * As the real one: it sleeps until `net.http_*` wakes it; takes up to 200 requests by id; deletes them, sends them all at
 * once and writes the answers in one transaction, so that the slowest one delays the batch and an error of the database
 * sends the batch again; pauses a second; never retries a request. Answers are kept for 6 hours.
 */
import postgres from "postgres";

export interface PgNetOptions {
  /** The database as superuser. */
  adminUrl: string;
  /** Between two batches, in ms. @default 1000 */
  pauseMs?: number;
}

export interface Worker {
  stop(): Promise<void>;
}

interface QueuedRequest {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string> | null;
  body: Uint8Array<ArrayBuffer> | null;
  timeout_milliseconds: number;
}

interface Answer {
  id: string;
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean;
  error_msg: string | null;
}

const BATCH = 200;
const USER_AGENT = "pg_net/0.20.5";

export async function startPgNet(options: PgNetOptions): Promise<Worker> {
  const sql = postgres(options.adminUrl, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: "pg_net" },
  });
  const stopping = new AbortController();
  let wake = Promise.withResolvers<void>();
  await sql.listen("pg_net_wake", () => wake.resolve());

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      await wake.promise;
      wake = Promise.withResolvers<void>();
      while (!stopping.signal.aborted) {
        const consumed = await batch(sql, stopping.signal).catch((error) => {
          if (!stopping.signal.aborted) console.error("pg_net could not work off a batch:", error);
          return 0;
        });
        if (consumed === 0) break;
        await pause(options.pauseMs ?? 1000, stopping.signal);
      }
    }
  }

  // Requests of a time when no worker ran wait in the queue, as after a restart of the real one.
  wake.resolve();
  const working = work();
  return {
    async stop() {
      stopping.abort();
      wake.resolve();
      await working;
      await sql.end({ timeout: 1 });
    },
  };
}

async function batch(sql: postgres.Sql, signal: AbortSignal): Promise<number> {
  return await sql.begin(async (transaction) => {
    await transaction`delete from net._http_response where created < now() - interval '6 hours'`;
    const requests = await transaction<QueuedRequest[]>`
      with taken as (
        delete from net.http_request_queue
        where id in (select id from net.http_request_queue order by id limit ${BATCH})
        returning *
      )
      select * from taken order by id`;
    const answers = await Promise.all(requests.map((request) => send(request, signal)));
    // A batch that the end of the stack has cut short is rolled back and sent again at the next start.
    signal.throwIfAborted();
    if (answers.length > 0) await transaction`insert into net._http_response ${transaction(answers)}`;
    return requests.length;
  });
}

async function send(request: QueuedRequest, stopping: AbortSignal): Promise<Answer> {
  const nothing = { status_code: null, content_type: null, headers: null, content: null };
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), request.timeout_milliseconds);
  try {
    const response = await fetch(request.url, {
      method: request.method.toUpperCase(),
      headers: { "user-agent": USER_AGENT, ...request.headers },
      body: request.body && new Uint8Array(request.body),
      signal: AbortSignal.any([timeout.signal, stopping]),
    });
    return {
      id: request.id,
      status_code: response.status,
      content_type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      // Postgres refuses the character 0 in a text.
      content: (await response.text()).replaceAll("\0", ""),
      timed_out: false,
      error_msg: null,
    };
  } catch (error) {
    const timedOut = timeout.signal.aborted;
    const message = timedOut
      ? `Timeout of ${request.timeout_milliseconds} ms reached`
      : error instanceof Error
      ? error.message
      : String(error);
    return { id: request.id, ...nothing, timed_out: timedOut, error_msg: message };
  } finally {
    clearTimeout(timer);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(() => over.resolve(), ms);
  signal.addEventListener("abort", () => over.resolve(), { once: true });
  await over.promise;
  clearTimeout(timer);
}
