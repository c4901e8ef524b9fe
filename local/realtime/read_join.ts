/**
 * The payload of phx_join. In: whatever the client sent. Out: what it asks for, with the hosted defaults where it says
 * nothing or something unreadable.
 */
import { isObject } from "./frames.ts";

export interface JoinConfig {
  private: boolean;
  /** Answer each broadcast. */
  ack: boolean;
  /** Send a broadcast back to its sender too. */
  self: boolean;
  presence: boolean;
  presenceKey: string;
  replay: { since: number; limit: number } | "invalid" | null;
  /** Say when messages of the database arrive. */
  replicationReady: boolean;
  postgresChanges: boolean;
}

export function readJoin(payload: unknown): { config: JoinConfig; token: string | null } {
  const join = objectOf(payload);
  const config = objectOf(join.config);
  const broadcast = objectOf(config.broadcast);
  const presence = objectOf(config.presence);
  return {
    token: tokenOf(join.user_token) ?? tokenOf(join.access_token),
    config: {
      private: isTrue(config.private),
      ack: isTrue(broadcast.ack),
      self: isTrue(broadcast.self),
      presence: isTrue(presence.enabled),
      presenceKey: presence.key ? String(presence.key) : crypto.randomUUID(),
      replay: replayOf(broadcast.replay),
      replicationReady: isTrue(broadcast.replication_ready),
      postgresChanges: Array.isArray(config.postgres_changes) && config.postgres_changes.length > 0,
    },
  };
}

function replayOf(replay: unknown): JoinConfig["replay"] {
  if (!isObject(replay)) return null;
  const { since, limit = 25 } = replay;
  if (typeof since !== "number" || typeof limit !== "number") return "invalid";
  return Number.isInteger(since) && Number.isInteger(limit) ? { since, limit } : "invalid";
}

/** An API key is no token: the connection's own counts. */
function tokenOf(value: unknown): string | null {
  return typeof value === "string" && !value.startsWith("sb_") ? value : null;
}

function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
