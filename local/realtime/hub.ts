/**
 * Who is in which topic. In: members that join and leave, broadcasts and presences. Out: each member's `send`. A
 * public and a private topic of one name are two topics. It authorizes nobody: members decide what they accept.
 */
import { type Broadcast, encodeBroadcast, encodeFrame, idOf, type Version } from "./frames.ts";

export interface Topic {
  /** The name without `realtime:`. */
  name: string;
  private: boolean;
}

export interface Member {
  version: Version;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Whether broadcasts go to this member; `id` is the message's row, if it has one. */
  acceptsBroadcast(id: string | undefined): boolean;
  acceptsPresence(): boolean;
}

/** As clients know it: by key, one entry for each member that tracks itself under the key. */
export type PresenceState = Record<string, { metas: Record<string, unknown>[] }>;

interface Presence {
  key: string;
  meta: Record<string, unknown>;
}

interface Room {
  members: Set<Member>;
  presences: Map<Member, Presence>;
}

export class Hub {
  #rooms = new Map<string, Room>();

  join(topic: Topic, member: Member): void {
    const room = this.#rooms.get(roomKey(topic)) ?? { members: new Set(), presences: new Map() };
    room.members.add(member);
    this.#rooms.set(roomKey(topic), room);
  }

  /** Takes the member out, and with it its presence. Leaving twice does nothing. */
  leave(topic: Topic, member: Member): void {
    this.untrack(topic, member);
    const room = this.#rooms.get(roomKey(topic));
    room?.members.delete(member);
    if (room?.members.size === 0) this.#rooms.delete(roomKey(topic));
  }

  broadcast(topic: Topic, broadcast: Broadcast, options: { except?: Member } = {}): void {
    const id = idOf(broadcast);
    const encoded = perVersion((version) => encodeBroadcast(broadcast, { topic: joinTopic(topic), version }));
    for (const member of this.#rooms.get(roomKey(topic))?.members ?? []) {
      if (member === options.except || !member.acceptsBroadcast(id)) continue;
      const data = encoded(member.version);
      if (data !== null) member.send(data);
    }
  }

  /** Shows the member under `key`, in the place of what it showed before. */
  track(topic: Topic, member: Member, { key, meta }: Presence): void {
    const room = this.#rooms.get(roomKey(topic));
    if (!room?.members.has(member)) return;
    const before = room.presences.get(member);
    const previous = before ? { phx_ref_prev: before.meta.phx_ref } : {};
    const presence = { key, meta: { ...meta, phx_ref: crypto.randomUUID(), ...previous } };
    room.presences.set(member, presence);
    this.#sendDiff(topic, { joins: [presence], leaves: before ? [before] : [] });
  }

  untrack(topic: Topic, member: Member): void {
    const room = this.#rooms.get(roomKey(topic));
    const presence = room?.presences.get(member);
    if (!room || !presence) return;
    room.presences.delete(member);
    this.#sendDiff(topic, { joins: [], leaves: [presence] });
  }

  presences(topic: Topic): PresenceState {
    return stateOf(this.#rooms.get(roomKey(topic))?.presences.values() ?? []);
  }

  #sendDiff(topic: Topic, diff: { joins: Presence[]; leaves: Presence[] }): void {
    const payload = { joins: stateOf(diff.joins), leaves: stateOf(diff.leaves) };
    const frame = { joinRef: null, ref: null, topic: joinTopic(topic), event: "presence_diff", payload };
    const encoded = perVersion((version) => encodeFrame(frame, version));
    for (const member of this.#rooms.get(roomKey(topic))?.members ?? []) {
      if (member.acceptsPresence()) member.send(encoded(member.version));
    }
  }
}

function roomKey(topic: Topic): string {
  return `${topic.private ? "private" : "public"}:${topic.name}`;
}

function joinTopic(topic: Topic): string {
  return `realtime:${topic.name}`;
}

/** A message is encoded once for all members that speak one version. */
function perVersion<T>(encode: (version: Version) => T): (version: Version) => T {
  const done = new Map<Version, { data: T }>();
  return (version) => {
    const known = done.get(version) ?? { data: encode(version) };
    done.set(version, known);
    return known.data;
  };
}

function stateOf(presences: Iterable<Presence>): PresenceState {
  const state: PresenceState = Object.create(null);
  for (const { key, meta } of presences) (state[key] ??= { metas: [] }).metas.push(meta);
  return state;
}
