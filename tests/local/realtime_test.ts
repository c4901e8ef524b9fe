/** The Realtime stand-in, through the real client, behind the gateway, on a Postgres of its own. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createClient, type RealtimeChannel, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { type Gateway, startGateway } from "../../local/gateway.ts";
import { type Keys, loadKeys } from "../../local/keys.ts";
import { installPlatform } from "../../local/platform.ts";
import { type Postgres, startPostgres } from "../../local/postgres.ts";
import { startRealtime } from "../../local/realtime.ts";
import type { Service } from "../../local/service.ts";

const READER = "00000000-0000-4000-8000-000000000001";
const WRITER = "00000000-0000-4000-8000-000000000002";
const STRANGER = "00000000-0000-4000-8000-000000000003";

let dir: string;
let database: Postgres;
let keys: Keys;
let realtime: Service;
let gateway: Gateway;
/** As `postgres`, the role that owns the project's functions. */
let sql: postgres.Sql;
/** As superuser. */
let admin: postgres.Sql;
const clients: SupabaseClient[] = [];

Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir({ dir: "/var/tmp" });
  await Deno.chmod(dir, 0o755);
  database = await startPostgres({ dataDir: `${dir}/db`, durable: false });
  const adminUrl = database.url("supabase_admin");
  await installPlatform(adminUrl);
  keys = await loadKeys(`${dir}/keys.json`);
  realtime = await startRealtime({ adminUrl, keys, maxPayloadBytes: 100_000, maxBufferedBytes: 1_000_000 });
  gateway = startGateway({ port: 0, keys, services: { realtime } });
  admin = postgres(adminUrl, { max: 2, onnotice: () => {} });
  sql = postgres(database.url("postgres"), { max: 2, onnotice: () => {} });
  await admin.unsafe(`
    create table public.members (user_id uuid, topic text, can_write boolean);
    grant select on public.members to authenticated;
    insert into public.members
    select id, topic, id = '${WRITER}'
    from unnest(array['${READER}', '${WRITER}']::uuid[]) as id, unnest(array['room', 'other']) as topic;
    create policy members_read on realtime.messages for select to authenticated using (
      exists (select from public.members m where m.user_id = auth.uid() and m.topic = realtime.topic())
    );
    create policy everyone_sees_who_is_in_the_lobby on realtime.messages for select to authenticated using (
      extension = 'presence' and realtime.topic() = 'lobby'
    );
    create policy writers_write on realtime.messages for insert to authenticated with check (
      exists (select from public.members m where m.user_id = auth.uid() and m.topic = realtime.topic() and m.can_write)
    );
  `);
});

Deno.test.afterEach(async () => {
  await Promise.all(
    clients.splice(0).map(async (client) => {
      await client.removeAllChannels();
      await client.realtime.disconnect();
    }),
  );
});

Deno.test.afterAll(async () => {
  await realtime.stop();
  await gateway.stop();
  await sql.end();
  await admin.end();
  await database.stop();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("startRealtime() joins a private topic for those whom a policy lets read it", async () => {
  await joined(as(READER).channel("room", { config: { private: true } }));
});

Deno.test("startRealtime() refuses a private topic in the words of the hosted service", async () => {
  const refused = joined(as(STRANGER).channel("room", { config: { private: true } }));
  const error = await assertRejects(() => refused, Error);
  assertEquals(
    error.message,
    "Unauthorized: You do not have permissions to read from this Channel topic: room",
  );
  const anonymous = createClient(gateway.url, keys.publishableKey);
  clients.push(anonymous);
  await assertRejects(
    () => joined(anonymous.channel("room", { config: { private: true } })),
    Error,
    "Unauthorized",
  );
});

Deno.test("startRealtime() refuses a token with a foreign signature", async () => {
  const [header, , signature] = (await tokenOf(READER)).split(".");
  const claims = { role: "authenticated", sub: WRITER, exp: 4102444800 };
  const forged = `${header}.${btoa(JSON.stringify(claims)).replaceAll("=", "")}.${signature}`;
  const client = connect(() => Promise.resolve(forged));
  await assertRejects(
    () => joined(client.channel("room", { config: { private: true } })),
    Error,
    "JwtSignatureError",
  );
});

Deno.test("startRealtime() drops broadcasts of those who may read but not write", async () => {
  const reader = as(READER).channel("room", { config: { private: true } });
  const writer = as(WRITER).channel("room", { config: { private: true, broadcast: { ack: true } } });
  const inbox = listen(reader);
  const writersInbox = listen(writer);
  await Promise.all([joined(reader), joined(writer)]);
  await reader.send({ type: "broadcast", event: "forged", payload: {} });
  await reader.httpSend("forged", {}).catch((error) => assertEquals(error.message, "Unauthorized"));
  assertEquals(await writer.send({ type: "broadcast", event: "true", payload: { n: 1 } }), "ok");
  await sql`select realtime.send('{"last": true}', 'last', 'room')`;
  assertEquals((await inbox.next()).event, "true");
  assertEquals((await writersInbox.next()).event, "last");
});

Deno.test("startRealtime() delivers realtime.send() after the commit, in commit order, and no rollback", async () => {
  const channel = as(READER).channel("room", { config: { private: true } });
  const inbox = listen(channel);
  await joined(channel);
  await sql.begin(async (transaction) => {
    await transaction`select realtime.send('{"n": 0}', 'rolled-back', 'room')`;
    throw new Error("changed my mind");
  }).catch(() => {});
  await sql.begin(async (first) => {
    await first`select realtime.send('{"n": 2}', 'sent-first', 'room')`;
    await sql`select realtime.send('{"n": 1}', 'committed-first', 'room')`;
    assertEquals((await inbox.next()).event, "committed-first");
    assertEquals(inbox.waiting, 0);
    await first`select realtime.send('{"n": 3}', 'same-transaction', 'room')`;
  });
  const second = await inbox.next();
  assertEquals([second.event, second.payload.n], ["sent-first", 2]);
  assertEquals(second.meta?.id, second.payload.id);
  assertEquals((await inbox.next()).event, "same-transaction");
});

Deno.test("realtime.send() swallows errors: without the right to insert the message is lost", async () => {
  const channel = as(READER).channel("room", { config: { private: true } });
  const inbox = listen(channel);
  await joined(channel);
  await admin.begin(async (transaction) => {
    await transaction`select set_config('request.jwt.claims', ${JSON.stringify({ sub: READER })}, true)`;
    await transaction`set local role authenticated`;
    await transaction`select realtime.send('{}', 'forged', 'room')`;
  });
  await sql`select realtime.send('[1]', 'not an object', 'room')`;
  await sql`select realtime.send('{}', 'last', 'room')`;
  assertEquals((await inbox.next()).event, "last");
});

Deno.test("realtime.broadcast_changes() sends both rows from a trigger", async () => {
  await sql.unsafe(`
    create table public.valves (tag text);
    create function public.tell() returns trigger language plpgsql security definer set search_path = '' as $$
    begin
      perform realtime.broadcast_changes('room', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
      return null;
    end $$;
    create trigger tell after insert or update on public.valves for each row execute function public.tell();`);
  const channel = as(READER).channel("room", { config: { private: true } });
  const inbox = listen(channel);
  await joined(channel);
  await sql`insert into public.valves values ('V-1')`;
  await sql`update public.valves set tag = 'V-2'`;
  await inbox.next();
  const { id: _id, ...payload } = (await inbox.next()).payload;
  assertEquals(payload, {
    old_record: { tag: "V-1" },
    record: { tag: "V-2" },
    operation: "UPDATE",
    table: "valves",
    schema: "public",
  });
});

Deno.test("startRealtime() gives no broadcasts to those who may read only presence", async () => {
  const config = { private: true, broadcast: { self: true }, presence: { key: "me", enabled: true } };
  const client = as(READER);
  const channel = client.channel("lobby", { config });
  const inbox = listen(channel);
  const synced = Promise.withResolvers<void>();
  channel.on("presence", { event: "sync" }, synced.resolve);
  await joined(channel);
  await synced.promise;
  await sql`select realtime.send('{}', 'secret', 'lobby')`;
  const open = client.channel("after");
  const openInbox = listen(open);
  await joined(open);
  await sql`select realtime.send('{}', 'later', 'after', false)`;
  await openInbox.next();
  assertEquals(inbox.waiting, 0);
});

Deno.test("startRealtime() keeps private and public topics of one name apart", async () => {
  const open = as(STRANGER).channel("room");
  const closed = as(READER).channel("room", { config: { private: true } });
  const [openInbox, closedInbox] = [listen(open), listen(closed)];
  await Promise.all([joined(open), joined(closed)]);
  await sql`select realtime.send('{}', 'secret', 'room', true)`;
  await sql`select realtime.send('{}', 'known', 'room', false)`;
  await sql`select realtime.send('{}', 'secret too', 'room', true)`;
  assertEquals((await openInbox.next()).event, "known");
  assertEquals((await closedInbox.next()).event, "secret");
  assertEquals((await closedInbox.next()).event, "secret too");
});

Deno.test("startRealtime() closes a channel when its token expires, and says why", async () => {
  const token = await keys.sign({ sub: READER, role: "authenticated" }, 2);
  const channel = connect(() => Promise.resolve(token)).channel("room", { config: { private: true } });
  const told = Promise.withResolvers<{ status: string; message: string }>();
  channel.on("system", {}, told.resolve);
  const closed = Promise.withResolvers<void>();
  await joined(channel, (status) => status === "CLOSED" && closed.resolve());
  const { status, message } = await told.promise;
  assertEquals(status, "error");
  assert(/^Token has expired \d+ seconds ago$/.test(message), message);
  await closed.promise;
});

Deno.test("startRealtime() closes a channel whose new token may not read any more, keeps one that may", async () => {
  let token = await tokenOf(READER);
  const client = connect(() => Promise.resolve(token));
  const channel = client.channel("room", { config: { private: true } });
  const inbox = listen(channel);
  const told = Promise.withResolvers<{ message: string }>();
  channel.on("system", {}, told.resolve);
  const closed = Promise.withResolvers<void>();
  await joined(channel, (status) => status === "CLOSED" && closed.resolve());

  token = await tokenOf(WRITER);
  await client.realtime.setAuth();
  await sql`select realtime.send('{}', 'still here', 'room')`;
  assertEquals((await inbox.next()).event, "still here");

  token = await tokenOf(STRANGER);
  await client.realtime.setAuth();
  assertStringIncludes((await told.promise).message, "You do not have permissions to read");
  await closed.promise;
});

Deno.test("startRealtime() asks again for the right to write when the token changes", async () => {
  let token = await tokenOf(READER);
  const client = connect(() => Promise.resolve(token));
  const config = { private: true, broadcast: { self: true, ack: true } };
  const channel = client.channel("room", { config });
  const inbox = listen(channel);
  await joined(channel);
  await channel.send({ type: "broadcast", event: "forged", payload: {} }, { timeout: 50 });
  token = await tokenOf(WRITER);
  await client.realtime.setAuth();
  assertEquals(await channel.send({ type: "broadcast", event: "allowed", payload: {} }), "ok");
  assertEquals((await inbox.next()).event, "allowed");
});

Deno.test("startRealtime() takes a client back whose connection broke", async () => {
  const sockets: WebSocket[] = [];
  class Watched extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      sockets.push(this);
    }
  }
  const token = await tokenOf(READER);
  const client = connect(() => Promise.resolve(token), { transport: Watched, reconnectAfterMs: () => 10 });
  const channel = client.channel("room", { config: { private: true } });
  const inbox = listen(channel);
  let again = Promise.withResolvers<void>();
  await joined(channel, (status) => status === "SUBSCRIBED" && again.resolve());
  again = Promise.withResolvers();
  sockets[0]?.close();
  await again.promise;
  await sql`select realtime.send('{}', 'after', 'room')`;
  assertEquals((await inbox.next()).event, "after");
  assertEquals(sockets.length, 2);
});

Deno.test("startRealtime() listens again when its connection to the database breaks", async () => {
  const channel = as(READER).channel("room", { config: { private: true } });
  const inbox = listen(channel);
  await joined(channel);
  const ended = await admin<{ pid: number }[]>`
    select pid, pg_terminate_backend(pid) from pg_stat_activity where application_name = 'realtime'`;
  assert(ended.length > 0);
  await until(async () => {
    const [row] = await admin`
      select count(*)::int as listening from pg_stat_activity
      where application_name = 'realtime' and query like 'listen%' and state = 'idle'
        and pid not in ${admin(ended.map(({ pid }) => pid))}`;
    return row?.listening === 1;
  });
  // A join that was under way is tried again by the client; what is sent meanwhile is lost, as hosted.
  let heard: string | null = null;
  inbox.next().then(({ event }) => heard = event);
  await until(async () => {
    await sql`select realtime.send('{}', 'after', 'room')`;
    return heard !== null;
  });
  assertEquals(heard, "after");
});

Deno.test("startRealtime() replays the last messages of a private topic once, oldest first", async () => {
  const since = Date.now() - 1000;
  await admin`truncate realtime.messages`;
  const behind = as(READER).channel("room", { config: { private: true } });
  const live = listen(behind);
  await joined(behind);
  for (let n = 1; n <= 30; n++) {
    await sql`select realtime.send(${sql.json({ n })}, 'tick', 'room')`;
  }
  // All thirty are out before the next one joins, or a late one would reach it as a new one.
  while ((await live.next()).payload.n !== 30);
  const config = { private: true, broadcast: { replay: { since, limit: 3 } } };
  const channel = as(READER).channel("room", { config });
  const inbox = listen(channel);
  await joined(channel);
  await sql`select realtime.send('{"n": 31}', 'tick', 'room')`;
  const seen = [await inbox.next(), await inbox.next(), await inbox.next(), await inbox.next()];
  assertEquals(seen.map(({ payload, meta }) => [payload.n, meta?.replayed ?? false]), [
    [28, true],
    [29, true],
    [30, true],
    [31, false],
  ]);

  const again = { topic: "room", event: "again", payload: {}, private: true, id: seen[2]?.meta?.id };
  const last = { topic: "room", event: "last", payload: {}, private: true };
  assertEquals(await post(WRITER, { messages: [again, last] }), 202);
  assertEquals((await inbox.next()).event, "last");
});

Deno.test("startRealtime() shows presences as they come, change and go", async () => {
  const config = (key: string) => ({ config: { presence: { key, enabled: true } } });
  const first = as(READER).channel("hall", config("first"));
  const second = as(WRITER).channel("hall", config("second"));
  const seen: string[] = [];
  first.on(
    "presence",
    { event: "join" },
    ({ key, newPresences }) => seen.push(`${key} ${newPresences[0]?.at}`),
  );
  first.on("presence", { event: "leave" }, ({ key }) => seen.push(`${key} left`));
  await Promise.all([joined(first), joined(second)]);
  assertEquals(await second.track({ at: "desk" }), "ok");
  await until(() => seen.includes("second desk"));
  assertEquals(await second.track({ at: "door" }), "ok");
  await until(() => seen.includes("second door"));
  assertEquals(first.presenceState()["second"]?.length, 1);

  const third = as(WRITER).channel("hall", config("third"));
  third.on("presence", { event: "sync" }, () => {});
  await joined(third);
  await until(() => Object.keys(third.presenceState()).includes("second"));

  await second.unsubscribe();
  await until(() => Object.keys(first.presenceState()).length === 0);
  assertEquals(seen.at(-1), "second left");
});

Deno.test("startRealtime() lets only those track themselves on a private topic who may write presence", async () => {
  const config = { private: true, presence: { key: "me", enabled: true } };
  const reader = as(READER).channel("room", { config });
  const writer = as(WRITER).channel("room", { config });
  await Promise.all([joined(reader), joined(writer)]);
  assertEquals(await reader.track({ here: true }), "error");
  assertEquals(await writer.track({ here: true }), "ok");
});

Deno.test("startRealtime() gives a broadcast to the others, and to its sender if asked", async () => {
  const quiet = as(READER).channel("hall");
  const loud = as(WRITER).channel("hall", { config: { broadcast: { self: true } } });
  const [quietInbox, loudInbox] = [listen(quiet), listen(loud)];
  await Promise.all([joined(quiet), joined(loud)]);
  await quiet.send({ type: "broadcast", event: "quiet", payload: { text: "ümläut" } });
  const heard = await loudInbox.next();
  assertEquals([heard.event, heard.payload], ["quiet", { text: "ümläut" }]);
  await loud.send({ type: "broadcast", event: "loud", payload: {} });
  assertEquals((await quietInbox.next()).event, "loud");
  assertEquals((await loudInbox.next()).event, "loud");
});

Deno.test("startRealtime() carries bytes between clients and from realtime.send_binary()", async () => {
  const from = as(WRITER).channel("room", { config: { private: true } });
  const to = as(READER).channel("room", { config: { private: true } });
  const inbox = listen(to);
  await Promise.all([joined(from), joined(to)]);
  await from.send({ type: "broadcast", event: "bytes", payload: new Uint8Array([1, 2, 3]).buffer });
  assertEquals(
    new Uint8Array((await inbox.next()).payload as unknown as ArrayBuffer),
    new Uint8Array([1, 2, 3]),
  );
  await from.httpSend("bytes", new Uint8Array([4, 5]));
  assertEquals(
    new Uint8Array((await inbox.next()).payload as unknown as ArrayBuffer),
    new Uint8Array([4, 5]),
  );
  await sql`select realtime.send_binary(${new Uint8Array([6])}, 'bytes', 'room')`;
  const message = await inbox.next();
  assertEquals(new Uint8Array(message.payload as unknown as ArrayBuffer), new Uint8Array([6]));
  assert(message.meta?.id);
});

Deno.test("startRealtime() speaks protocol 1.0.0 too", async () => {
  const token = await tokenOf(READER);
  const channel = connect(() => Promise.resolve(token), { vsn: "1.0.0" })
    .channel("room", { config: { private: true } });
  const inbox = listen(channel);
  await joined(channel);
  await sql`select realtime.send('{"n": 1}', 'tick', 'room')`;
  const message = await inbox.next();
  assertEquals([message.event, message.payload.n, message.meta?.id], ["tick", 1, message.payload.id]);
});

Deno.test("POST /api/broadcast sends what the caller may write, and answers 202 whatever was dropped", async () => {
  const open = as(STRANGER).channel("room");
  const closed = as(READER).channel("room", { config: { private: true } });
  const [openInbox, closedInbox] = [listen(open), listen(closed)];
  await Promise.all([joined(open), joined(closed)]);
  const message = { topic: "room", event: "by-http", payload: { n: 1 } };
  const messages = [{ ...message, private: true }, { ...message, payload: { n: 2 } }];
  assertEquals(await post(STRANGER, { messages }), 202);
  assertEquals(await post(WRITER, { messages: [{ ...message, private: true, payload: { n: 3 } }] }), 202);
  assertEquals((await openInbox.next()).payload, { n: 2 });
  assertEquals((await closedInbox.next()).payload, { n: 3 });
  assertEquals(await post(WRITER, { messages: [{ topic: "room", payload: {} }] }), 422);
});

Deno.test("startRealtime() refuses a broadcast over the limit, and forgets a row over it", async () => {
  const config = { private: true, broadcast: { ack: true } };
  const channel = as(WRITER).channel("room", { config });
  const inbox = listen(channel);
  await joined(channel);
  const text = "x".repeat(100_001);
  assertEquals(await channel.send({ type: "broadcast", event: "large", payload: { text } }), "error");
  await sql`select realtime.send(${sql.json({ text })}, 'large', 'room')`;
  await sql`select realtime.send('{}', 'small', 'room')`;
  assertEquals((await inbox.next()).event, "small");
});

Deno.test("startRealtime() refuses the 101st channel of a connection", async () => {
  const client = as(READER);
  await Promise.all(Array.from({ length: 100 }, (_, n) => joined(client.channel(`many-${n}`))));
  await assertRejects(
    () => joined(client.channel("one too many")),
    Error,
    "ChannelRateLimitReached: Too many channels",
  );
});

Deno.test("startRealtime() refuses postgres_changes, which the stack does not have", async () => {
  const channel = as(READER).channel("room");
  channel.on("postgres_changes", { event: "*", schema: "public" }, () => {});
  await assertRejects(() => joined(channel), Error, "The local stack has no postgres_changes");
});

Deno.test("startRealtime() closes a client that does not read, and the others miss nothing", async () => {
  const watcher = as(READER).channel("busy", { config: { presence: { key: "watcher", enabled: true } } });
  const left = Promise.withResolvers<void>();
  watcher.on("presence", { event: "leave" }, ({ key }) => key === "deaf" && left.resolve());
  const inbox = listen(watcher);
  await joined(watcher);
  using _deaf = await connectDeaf("realtime:busy", "deaf");
  await until(() => "deaf" in watcher.presenceState());

  const text = "x".repeat(90_000);
  let sent = 0;
  let gone = false;
  left.promise.then(() => gone = true);
  for (; !gone && sent < 500; sent++) {
    await sql`select realtime.send(${sql.json({ n: sent, text })}, 'load', 'busy', false)`;
    assertEquals((await inbox.next()).payload.n, sent);
  }
  assert(gone, `still there after ${sent} messages`);
});

Deno.test("keep_partitions() makes the days to come and drops those of more than 72 hours ago", async () => {
  const partitions = await admin.begin(async (transaction) => {
    await transaction`select _realtime.keep_partitions(date '2030-03-01')`;
    await transaction`select _realtime.keep_partitions(date '2030-03-04')`;
    const rows = await transaction<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits
      where inhparent = 'realtime.messages'::regclass order by 1`;
    await transaction`select _realtime.keep_partitions(current_date)`;
    return rows.map(({ name }) => name.slice("realtime.messages_".length));
  });
  assertEquals(partitions, ["01", "02", "03", "04", "05", "06", "07"].map((day) => `2030_03_${day}`));
});

Deno.test("realtime.messages belongs to the service, and has row security on", async () => {
  const [table] = await admin`
    select pg_get_userbyid(relowner) as owner, relrowsecurity as secured
    from pg_class where oid = 'realtime.messages'::regclass`;
  assertEquals({ ...table }, { owner: "supabase_realtime_admin", secured: true });
  await assertRejects(() => sql`create policy mine on realtime.messages for select using (true)`.execute());
});

interface Message {
  event: string;
  payload: Record<string, unknown>;
  meta?: { id?: string; replayed?: boolean };
}

/** The broadcasts of a channel, one at a time. */
function listen(channel: RealtimeChannel) {
  const messages: Message[] = [];
  let wake = () => {};
  channel.on("broadcast", { event: "*" }, (message) => {
    messages.push(message as unknown as Message);
    wake();
  });
  return {
    get waiting(): number {
      return messages.length;
    },
    async next(): Promise<Message> {
      while (messages.length === 0) await new Promise<void>((go) => wake = go);
      return messages.shift() as Message;
    },
  };
}

/** Subscribes with the client's token: without setAuth() the first join would go out before the token is known. */
async function joined(channel: RealtimeChannel, watch: (status: string) => void = () => {}): Promise<void> {
  await channel.socket.setAuth();
  await new Promise<void>((resolve, reject) =>
    channel.subscribe((status, error) => {
      watch(status);
      if (status === "SUBSCRIBED") resolve();
      else reject(error ?? new Error(status));
    })
  );
}

function connect(accessToken: () => Promise<string>, options: Record<string, unknown> = {}): SupabaseClient {
  const client = createClient(gateway.url, keys.publishableKey, { accessToken, realtime: options });
  clients.push(client);
  return client;
}

function as(user: string): SupabaseClient {
  return connect(() => tokenOf(user));
}

function tokenOf(user: string): Promise<string> {
  return keys.sign({ sub: user, role: "authenticated" }, 600);
}

async function post(user: string, body: unknown): Promise<number> {
  const response = await fetch(`${gateway.url}/realtime/v1/api/broadcast`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      apikey: keys.publishableKey,
      authorization: `Bearer ${await tokenOf(user)}`,
    },
    body: JSON.stringify(body),
  });
  await response.body?.cancel();
  return response.status;
}

/** Joins and shows itself, and then reads nothing more. */
async function connectDeaf(topic: string, key: string): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: gateway.port });
  const path = `/realtime/v1/websocket?apikey=${keys.publishableKey}&vsn=2.0.0`;
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  await connection.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
  await connection.read(new Uint8Array(1024));
  const join = ["1", "1", topic, "phx_join", { config: { presence: { key, enabled: true } } }];
  const track = ["1", "2", topic, "presence", { type: "presence", event: "track", payload: {} }];
  for (const message of [join, track]) await connection.write(masked(JSON.stringify(message)));
  return connection;
}

/** A client's text frame; the mask of zeros leaves the text as it is. */
function masked(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  assert(bytes.length > 125 || bytes.length < 65_536);
  const length = bytes.length > 125
    ? [0x80 | 126, bytes.length >> 8, bytes.length & 255]
    : [0x80 | bytes.length];
  return new Uint8Array([0x81, ...length, 0, 0, 0, 0, ...bytes]);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((go) => setTimeout(go, 5));
}
