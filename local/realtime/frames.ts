/**
 * Realtime's frames. In: what a socket received, or what it is to be told. Out: the same in the other form, for
 * protocol 1.0.0 (objects) or 2.0.0 (arrays, and binary frames for broadcasts). It knows no channels.
 */

export type Version = "1.0.0" | "2.0.0";

export interface Frame {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

/** A broadcast whose payload stays as the bytes it came in: sent as a binary frame where the socket reads those. */
export interface RawBroadcast {
  kind: "raw";
  event: string;
  encoding: "json" | "binary";
  payload: Uint8Array<ArrayBuffer>;
  /** The row of `realtime.messages` it was read from. */
  id?: string;
  replayed?: true;
}

/** A broadcast that came as an object and is passed on as text. */
export interface ObjectBroadcast {
  kind: "object";
  payload: Record<string, unknown>;
}

export type Broadcast = RawBroadcast | ObjectBroadcast;

const PUSH = 3;
const BROADCAST = 4;
const JSON_ENCODING = 1;

export function decodeFrame(data: string | Uint8Array<ArrayBuffer>, version: Version): Frame {
  if (typeof data !== "string") return decodePush(data);
  const message: unknown = JSON.parse(data);
  if (version === "2.0.0") {
    if (!Array.isArray(message)) throw new SyntaxError("Cannot read a frame: expected an array");
    const [joinRef, ref, topic, event, payload] = message;
    return checked({ joinRef, ref, topic, event, payload });
  }
  if (!isObject(message)) throw new SyntaxError("Cannot read a frame: expected an object");
  const { join_ref, ref, topic, event, payload } = message;
  return checked({ joinRef: join_ref, ref, topic, event, payload });
}

export function encodeFrame(frame: Frame, version: Version): string {
  const { joinRef, ref, topic, event, payload } = frame;
  return JSON.stringify(
    version === "2.0.0" ? [joinRef, ref, topic, event, payload] : { topic, event, payload, ref },
  );
}

/** What a socket that joined `topic` is sent; null where the protocol has no form for it. */
export function encodeBroadcast(
  broadcast: Broadcast,
  options: { topic: string; version: Version },
): string | Uint8Array<ArrayBuffer> | null {
  const { topic, version } = options;
  const frame = { joinRef: null, ref: null, topic, event: "broadcast" };
  if (broadcast.kind === "object") return encodeFrame({ ...frame, payload: broadcast.payload }, version);
  if (version === "2.0.0") return encodeRaw(broadcast, topic);
  if (broadcast.encoding === "binary") return null;
  return encodeFrame({ ...frame, payload: broadcastObject(broadcast) }, version);
}

/** A JSON broadcast as the object that a text frame carries. */
export function broadcastObject(broadcast: RawBroadcast): Record<string, unknown> {
  const meta = metaOf(broadcast);
  const payload: unknown = JSON.parse(new TextDecoder().decode(broadcast.payload));
  return { type: "broadcast", event: broadcast.event, payload, ...(meta ? { meta } : {}) };
}

/** The row of a message, where it has one or claims one. */
export function idOf(broadcast: Broadcast): string | undefined {
  if (broadcast.kind === "raw") return broadcast.id;
  const { meta } = broadcast.payload;
  return isObject(meta) && typeof meta.id === "string" ? meta.id : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function metaOf(broadcast: RawBroadcast): Record<string, unknown> | null {
  if (broadcast.id === undefined) return null;
  return { id: broadcast.id, ...(broadcast.replayed ? { replayed: true } : {}) };
}

function encodeRaw(broadcast: RawBroadcast, topic: string): Uint8Array<ArrayBuffer> | null {
  const meta = metaOf(broadcast);
  const parts = [topic, broadcast.event, meta ? JSON.stringify(meta) : ""].map((text) =>
    new TextEncoder().encode(text)
  );
  if (parts.some((part) => part.length > 255)) return null;
  const header = [
    BROADCAST,
    ...parts.map((part) => part.length),
    broadcast.encoding === "json" ? JSON_ENCODING : 0,
  ];
  return concat([new Uint8Array(header), ...parts, broadcast.payload]);
}

/** `03 | five lengths, encoding | join_ref ref topic event meta | payload`; the metadata is not used, as hosted. */
function decodePush(bytes: Uint8Array<ArrayBuffer>): Frame {
  if (bytes[0] !== PUSH || bytes.length < 7) {
    throw new SyntaxError(`Cannot read a binary frame: found kind ${bytes[0]}, expected ${PUSH}`);
  }
  let offset = 7;
  const [joinRef = "", ref = "", topic = "", event = ""] = [...bytes.subarray(1, 6)].map((length) => {
    const text = new TextDecoder().decode(bytes.subarray(offset, offset + length));
    offset += length;
    return text;
  });
  const payload: RawBroadcast = {
    kind: "raw",
    event,
    encoding: bytes[6] === JSON_ENCODING ? "json" : "binary",
    payload: bytes.subarray(offset),
  };
  return { joinRef: joinRef || null, ref: ref || null, topic, event: "broadcast", payload };
}

function checked(frame: Record<keyof Frame, unknown>): Frame {
  const { joinRef, ref, topic, event, payload } = frame;
  if (typeof topic !== "string" || typeof event !== "string") {
    throw new SyntaxError("Cannot read a frame: expected a topic and an event");
  }
  return { joinRef: refOf(joinRef), ref: refOf(ref), topic, event, payload };
}

function refOf(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
