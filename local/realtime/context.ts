/** What the parts of the Realtime stand-in share. */
import type { Sql } from "postgres";
import type { Keys } from "../keys.ts";
import type { Hub } from "./hub.ts";

export interface Context {
  /** As superuser: rights are taken on for each question. */
  sql: Sql;
  hub: Hub;
  keys: Pick<Keys, "verify">;
  settings: Settings;
}

export interface Settings {
  /** How long a refused join waits for its answer, in milliseconds; hosted 5,000. @default 50 */
  refusalDelayMs: number;
  /** Largest payload of a broadcast or a presence, in bytes; more on paid plans. @default 256_500 */
  maxPayloadBytes: number;
  /** Channels of one connection. @default 100 */
  maxChannels: number;
  /** What may wait for a slow client before its connection is closed, in bytes. @default 8_000_000 */
  maxBufferedBytes: number;
}

/** Why something is refused: the code and the words of the hosted service. */
export interface Refusal {
  code: string;
  message: string;
}
