/**
 * One topic that one connection joined, from phx_join to phx_close. In: the frames for it, one after the other. Out:
 * replies, broadcasts, presences and system messages. What it may read and write, the database decides.
 */
import type { Extension } from "./authorize.ts";
import type { Context, Refusal } from "./context.ts";
import {
  type Broadcast,
  broadcastObject,
  encodeBroadcast,
  encodeFrame,
  type Frame,
  isObject,
  type RawBroadcast,
  type Version,
} from "./frames.ts";
import type { Member, Topic } from "./hub.ts";
import { replayMessages } from "./messages.ts";
import { type JoinConfig, readJoin } from "./read_join.ts";
import { Rights, unauthorized } from "./rights.ts";
import { type Verdict, verifyToken } from "./verify_token.ts";

/** The connection, as its channels see it. */
export interface Connection {
  version: Version;
  /** The token it was opened with: counts where a channel brings none. */
  token: string;
  /** What policies see as `request.headers`: the `x-` ones of the upgrade. */
  headers: Record<string, string>;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Called once, when the channel is closed from this side. */
  forget(channel: Channel): void;
}

const CONFIRM_EVERY_MS = 5 * 60_000;
const PRESENCE_CALLS = 5;
const PRESENCE_WINDOW_MS = 30_000;

export class Channel implements Member {
  readonly version: Version;
  readonly joinRef: string | null;
  #context: Context;
  #connection: Connection;
  #topic: Topic;
  #config: JoinConfig;
  #token: string;
  /** Null until the join's token is confirmed. */
  #rights: Rights | null = null;
  #replayed: RawBroadcast[] = [];
  #replayedIds = new Set<string>();
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #tracked: string | null = null;
  #presenceCalls = { count: 0, until: 0 };
  #closed = false;
  #work: Promise<void> = Promise.resolve();

  constructor(context: Context, options: { connection: Connection; join: Frame }) {
    const { connection, join } = options;
    const { config, token } = readJoin(join.payload);
    this.version = connection.version;
    this.joinRef = join.joinRef;
    this.#context = context;
    this.#connection = connection;
    this.#topic = { name: join.topic.slice("realtime:".length), private: config.private };
    this.#config = config;
    this.#token = token ?? connection.token;
    this.#enqueue(() => this.#join(join.ref));
  }

  handle(frame: Frame): void {
    this.#enqueue(async () => {
      if (this.#closed) return;
      if (frame.event === "broadcast") await this.#broadcast(frame);
      else if (frame.event === "presence") await this.#presence(frame);
      else if (frame.event === "access_token") await this.#refresh(frame.payload);
      else if (frame.event === "phx_leave") {
        this.#reply(frame.ref, "ok", {});
        this.close();
      }
    });
  }

  /** Ends it and says so to the client. */
  close(): void {
    if (this.#closed) return;
    this.drop();
    this.#push("phx_close", {}, this.joinRef);
    this.#connection.forget(this);
  }

  /** Ends it without a word: the connection is gone. */
  drop(): void {
    this.#closed = true;
    clearTimeout(this.#expiry);
    this.#context.hub.leave(this.#topic, this);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#connection.send(data);
  }

  acceptsBroadcast(id: string | undefined): boolean {
    return this.#rights?.mayRead("broadcast") === true && !(id !== undefined && this.#replayedIds.has(id));
  }

  acceptsPresence(): boolean {
    return this.#rights?.mayRead("presence") === true;
  }

  /** One frame after the other, as the hosted channel process; a failure ends the channel. */
  #enqueue(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error) => {
      console.error(`Cannot go on with channel "${this.#topic.name}":`, error);
      if (this.#closed) return;
      this.drop();
      this.#push("phx_error", {}, this.joinRef);
      this.#connection.forget(this);
    });
  }

  async #join(ref: string | null): Promise<void> {
    const refusal = await this.#admit();
    if (this.#closed) return;
    if (refusal) {
      await new Promise((go) => setTimeout(go, this.#context.settings.refusalDelayMs));
      if (this.#closed) return;
      this.drop();
      this.#reply(ref, "error", { reason: `${refusal.code}: ${refusal.message}` });
      this.#connection.forget(this);
      return;
    }
    this.#context.hub.join(this.#topic, this);
    this.#reply(ref, "ok", { postgres_changes: [] });
    for (const broadcast of this.#replayed) this.#pushReplayed(broadcast);
    this.#replayed = [];
    if (this.#config.presence && this.acceptsPresence()) {
      this.#push("presence_state", this.#context.hub.presences(this.#topic));
    }
    if (this.#config.replicationReady) this.#system("ok", "Replication connection established");
  }

  async #admit(): Promise<Refusal | null> {
    const { name } = this.#topic;
    const { replay } = this.#config;
    if (name === "") return { code: "TopicNameRequired", message: "You must provide a topic name" };
    if (this.#config.postgresChanges) {
      return { code: "InvalidJoinPayload", message: "The local stack has no postgres_changes" };
    }
    const refusal = await this.#authorize();
    if (refusal || !replay) return refusal;
    if (!this.#rights?.mayRead("broadcast")) return unauthorized(name);
    if (!this.#topic.private) return noReplay("Replay is not allowed for public channels");
    if (replay === "invalid") return noReplay("Replay params are not valid");
    try {
      this.#replayed = await replayMessages(this.#context.sql, { topic: name, ...replay });
    } catch (error) {
      console.error(`Cannot replay topic "${name}":`, error);
      return noReplay("Realtime was unable to replay messages");
    }
    this.#replayedIds = new Set(this.#replayed.flatMap(({ id }) => id ?? []));
    return null;
  }

  /** Checks the token and what it may read; the rights of the one before count until then. */
  async #authorize(): Promise<Refusal | null> {
    const verdict = await this.#confirm();
    if ("code" in verdict) return verdict;
    const { claims } = verdict;
    const subject = { claims, topic: this.#topic.name, headers: this.#connection.headers };
    const rights = new Rights(this.#context.sql, { subject, private: this.#topic.private });
    const refusal = await rights.askRead({ presence: this.#config.presence });
    this.#rights = rights;
    return refusal;
  }

  /** Checks the token, and again when it ends or in five minutes. */
  async #confirm(): Promise<Verdict> {
    clearTimeout(this.#expiry);
    const verdict = await verifyToken(this.#token, this.#context.keys);
    if ("code" in verdict || this.#closed) return verdict;
    const left = verdict.claims.exp * 1000 - Date.now();
    this.#expiry = setTimeout(
      () => this.#enqueue(() => this.#confirmAgain()),
      Math.min(CONFIRM_EVERY_MS, left),
    );
    return verdict;
  }

  async #confirmAgain(): Promise<void> {
    if (this.#closed) return;
    const verdict = await this.#confirm();
    if ("code" in verdict) this.#shutDown(verdict.message);
  }

  async #refresh(payload: unknown): Promise<void> {
    const token = isObject(payload) ? payload.access_token : null;
    if (typeof token !== "string" || token.startsWith("sb_") || token === this.#token) return;
    const before = this.#rights;
    this.#token = token;
    const refusal = await this.#authorize();
    const lost = (extension: Extension) =>
      before?.mayRead(extension) === true && this.#rights?.mayRead(extension) === false;
    if (refusal) this.#shutDown(refusal.message);
    else if (lost("broadcast") || lost("presence")) {
      this.#shutDown(`You no longer have permission to read from this Channel topic: ${this.#topic.name}`);
    }
  }

  async #broadcast({ payload, ref }: Frame): Promise<void> {
    if (!(await this.#rights?.mayWrite("broadcast"))) return;
    const broadcast: Broadcast = isRaw(payload)
      ? payload
      : { kind: "object", payload: isObject(payload) ? payload : {} };
    if (sizeOf(broadcast) > this.#context.settings.maxPayloadBytes) {
      if (this.#config.ack) this.#reply(ref, "error", { error: "payload_size_exceeded" });
      return;
    }
    this.#context.hub.broadcast(this.#topic, broadcast, this.#config.self ? {} : { except: this });
    if (this.#config.ack) this.#reply(ref, "ok", {});
  }

  async #presence({ payload, ref }: Frame): Promise<void> {
    if (!isObject(payload) || typeof payload.event !== "string") return this.#reply(ref, "ok", {});
    if (!this.#countPresenceCall()) return this.#shutDown("Client presence rate limit exceeded");
    const event = payload.event.toLowerCase();
    const meta = payload.payload ?? {};
    if (event === "untrack") {
      this.#tracked = null;
      this.#context.hub.untrack(this.#topic, this);
      return this.#reply(ref, "ok", {});
    }
    if (event !== "track" || !(await this.#mayTrack())) return this.#reply(ref, "error", {});
    if (!isObject(meta)) return this.#reply(ref, "error", { reason: "Presence track payload must be a map" });
    const text = JSON.stringify(meta);
    if (text.length > this.#context.settings.maxPayloadBytes) {
      return this.#shutDown("Track message size exceeded");
    }
    this.#config.presence = true;
    if (text !== this.#tracked) {
      this.#tracked = text;
      this.#context.hub.track(this.#topic, this, { key: this.#config.presenceKey, meta });
    }
    this.#reply(ref, "ok", {});
  }

  /** A channel that joined without presence asks for the right to read it at its first track. */
  async #mayTrack(): Promise<boolean> {
    if (this.#rights?.mayRead("presence") === undefined) await this.#rights?.askRead({ presence: true });
    return await this.#rights?.mayWrite("presence") === true;
  }

  #countPresenceCall(): boolean {
    const now = performance.now();
    if (now > this.#presenceCalls.until) this.#presenceCalls = { count: 0, until: now + PRESENCE_WINDOW_MS };
    return ++this.#presenceCalls.count <= PRESENCE_CALLS;
  }

  #pushReplayed(broadcast: RawBroadcast): void {
    if (broadcast.encoding === "json") this.#push("broadcast", broadcastObject(broadcast));
    else {
      const options = { topic: `realtime:${this.#topic.name}`, version: this.version };
      const data = encodeBroadcast(broadcast, options);
      if (data !== null) this.send(data);
    }
  }

  #shutDown(message: string): void {
    if (this.#closed) return;
    this.#system("error", message);
    this.close();
  }

  #system(status: "ok" | "error", message: string): void {
    this.#push("system", { extension: "system", status, message, channel: this.#topic.name });
  }

  #reply(ref: string | null, status: "ok" | "error", response: Record<string, unknown>): void {
    this.#push("phx_reply", { status, response }, ref);
  }

  #push(event: string, payload: unknown, ref: string | null = null): void {
    const topic = `realtime:${this.#topic.name}`;
    this.send(encodeFrame({ joinRef: this.joinRef, ref, topic, event, payload }, this.version));
  }
}

function isRaw(payload: unknown): payload is RawBroadcast {
  return isObject(payload) && payload.kind === "raw" && payload.payload instanceof Uint8Array;
}

function sizeOf(broadcast: Broadcast): number {
  if (broadcast.kind === "raw") return broadcast.payload.length;
  return new TextEncoder().encode(JSON.stringify(broadcast.payload)).length;
}

function noReplay(message: string): Refusal {
  return { code: "UnableToReplayMessages", message };
}
