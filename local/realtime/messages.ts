/**
 * The rows of `realtime.messages` on their way out. Out: each committed row in commit order, the replay of a topic,
 * and partitions for the coming days. Rows committed while the listening connection is down are not delivered, as
 * hosted; a replay still finds them.
 */
import type { Sql } from "postgres";
import type { RawBroadcast } from "./frames.ts";
import type { Topic } from "./hub.ts";

export interface ReplayOptions {
  topic: string;
  /** Milliseconds since 1970. */
  since: number;
  /** At most 25, as hosted. */
  limit: number;
}

interface Row {
  id: string;
  topic: string;
  event: string | null;
  private: boolean;
  payload: string | null;
  binary_payload: Uint8Array | null;
}

/** Rows read at once: a transaction may insert thousands, and each may be large. */
const READ_AT_ONCE = 100;

/**
 * Calls `deliver` for each row after its commit, until `sql` ends. Resolves when the connection listens; the driver
 * makes it again when it breaks.
 */
export async function listenMessages(
  sql: Sql,
  deliver: (topic: Topic, broadcast: RawBroadcast) => void,
): Promise<void> {
  const announced: string[] = [];
  let reading = false;

  async function readAnnounced(): Promise<void> {
    while (announced.length > 0) {
      const ids = announced.splice(0, READ_AT_ONCE);
      try {
        const rows = await sql<Row[]>`
          select id, topic, event, private, payload::text as payload, binary_payload
          from realtime.messages where id in ${sql(ids)}`;
        const byId = new Map(rows.map((row) => [row.id, row]));
        for (const id of ids) {
          const row = byId.get(id);
          const broadcast = row && broadcastOf(row);
          if (broadcast) deliver({ name: row.topic, private: row.private }, broadcast);
        }
      } catch (error) {
        console.error(`Cannot read realtime.messages, ${ids.length} messages are lost:`, error);
      }
    }
    reading = false;
  }

  await sql.listen("realtime_messages", (id) => {
    announced.push(id);
    if (reading) return;
    reading = true;
    readAnnounced();
  });
}

/** The last messages of a private topic, oldest first. */
export async function replayMessages(sql: Sql, options: ReplayOptions): Promise<RawBroadcast[]> {
  const limit = Math.max(1, Math.min(25, options.limit));
  const rows = await sql<Row[]>`
    select id, topic, event, private, payload::text as payload, binary_payload
    from realtime.messages
    where topic = ${options.topic}
      and private
      and extension = 'broadcast'
      and inserted_at >= to_timestamp(${options.since}::float8 / 1000) at time zone 'utc'
      and inserted_at < now() at time zone 'utc' + interval '1 minute'
    order by inserted_at desc
    limit ${limit}`;
  const broadcasts = rows.reverse().map(broadcastOf).filter((broadcast) => broadcast !== null);
  return broadcasts.map((broadcast) => ({ ...broadcast, replayed: true }));
}

/** Makes the partitions that are missing, drops those of more than 72 hours ago. */
export async function keepPartitions(sql: Sql): Promise<void> {
  await sql`select _realtime.keep_partitions((now() at time zone 'utc')::date)`;
}

function broadcastOf(row: Row): RawBroadcast | null {
  const { id, event, payload, binary_payload: bytes } = row;
  if (event === null) return null;
  if (bytes !== null) {
    return { kind: "raw", event, encoding: "binary", payload: new Uint8Array(bytes), id };
  }
  if (payload === null) return null;
  return { kind: "raw", event, encoding: "json", payload: new TextEncoder().encode(payload), id };
}
