/**
 * A file of unknown length → Storage, part by part (TUS), with the secret key. The object appears with the last part, or
 * never: a file that is half there is no object. In: parts of 6 MiB each, as Storage wants them, and a last one of any
 * size. A part whose answer was lost goes on where Storage says it is.
 */
import { LongshoreError } from "../errors.ts";
import { readRefusal, storageFailure, storageRequest, writeFailure } from "../imports/storage_request.ts";

/** Storage takes no parts of another size but the last. */
export const PART_BYTES = 6 * 1024 * 1024;

/** Where an upload is; plain JSON. */
export interface UploadState {
  /** Storage's name for it; null while nothing was sent. */
  id: string | null;
  /** Bytes that Storage has. */
  offset: number;
}

export interface PartUpload {
  readonly state: UploadState;
  /** Sends the next part. */
  send(part: readonly Uint8Array[]): Promise<void>;
  /** Sends the last part; the object is there afterwards. */
  finish(part: readonly Uint8Array[]): Promise<void>;
  /** Has Storage forget what it was sent. Never throws: what is left ends by itself after a day. */
  abandon(): Promise<void>;
}

export interface UploadOptions {
  bucket: string;
  path: string;
  contentType: string;
  state: UploadState;
  signal: AbortSignal;
}

/** Storage knows the upload no more: it has expired, or was finished by somebody else. */
export class UploadGone extends Error {}

const TRIES = 4;
const TUS = { "tus-resumable": "1.0.0", "x-upsert": "true" };

export function uploadInParts({ bucket, path, contentType, state, signal }: UploadOptions): PartUpload {
  const object = `${bucket}/${path}`;
  let { id } = state;
  /** Where the next part begins. */
  let position = state.offset;
  /** Bytes that Storage has; null where another slice may have sent more than it noted. */
  let stored = id === null ? 0 : null;

  async function create(): Promise<string> {
    const response = await storageRequest("/upload/resumable", {
      method: "POST",
      headers: {
        ...TUS,
        "upload-defer-length": "1",
        "upload-metadata": metadata({ bucketName: bucket, objectName: path, contentType }),
      },
      signal,
    });
    const id = response.headers.get("location")?.split("/").at(-1);
    if (response.status !== 201 || !id) throw await unexpected("begin an upload in", response);
    await response.body?.cancel();
    return id;
  }

  /** Bytes that Storage has of the upload. */
  async function ask(): Promise<number> {
    const response = await storageRequest(`/upload/resumable/${id}`, {
      method: "HEAD",
      headers: TUS,
      signal,
    });
    if (response.status === 404 || response.status === 410) {
      await response.body?.cancel();
      throw new UploadGone();
    }
    const offset = Number(response.headers.get("upload-offset") ?? NaN);
    if (!response.ok || !(offset >= position)) throw await unexpected("find an upload in", response);
    await response.body?.cancel();
    return offset;
  }

  /** `length` is the whole file's, once it is known. */
  async function patch(bytes: readonly Uint8Array[], offset: number, length: number | null): Promise<void> {
    const response = await storageRequest(`/upload/resumable/${id}`, {
      method: "PATCH",
      headers: {
        ...TUS,
        "content-type": "application/offset+octet-stream",
        "upload-offset": String(offset),
        ...(length === null ? {} : { "upload-length": String(length) }),
      },
      body: ReadableStream.from(bytes),
      signal,
    });
    if (!response.ok) throw await notTaken(response);
    await response.body?.cancel();
  }

  async function sendPart(part: readonly Uint8Array[], length: number | null): Promise<void> {
    const end = position + sizeOf(part);
    await tryAgain(signal, async (tries) => {
      try {
        id ??= await create();
        stored ??= await ask();
        if (stored < end) await patch(without(part, stored - position), stored, length);
        stored = end;
      } catch (error) {
        stored = null;
        // The answer to the last part may have been lost.
        const done = error instanceof UploadGone && length !== null && tries > 1 &&
          await sizeInStorage() === length;
        if (!done) throw error;
      }
    });
    position = end;
  }

  async function sizeInStorage(): Promise<number | null> {
    const response = await storageRequest(`/object/info/${object}`, { signal });
    if (response.ok) return ((await response.json()) as { size?: number }).size ?? null;
    await response.body?.cancel();
    return null;
  }

  /** A file that fits in one request needs no upload in parts. */
  async function sendWhole(part: readonly Uint8Array[]): Promise<void> {
    await tryAgain(signal, async () => {
      const response = await storageRequest(`/object/${object}`, {
        method: "POST",
        headers: { "content-type": contentType, "x-upsert": "true" },
        body: ReadableStream.from(part),
        signal,
      });
      if (!response.ok) throw await notTaken(response);
      await response.body?.cancel();
    });
  }

  return {
    get state() {
      return { id, offset: position };
    },
    send: (part) => sendPart(part, null),
    async finish(part) {
      if (id === null) await sendWhole(part);
      else await sendPart(part, position + sizeOf(part));
    },
    async abandon() {
      const own = AbortSignal.timeout(2000);
      if (id === null) return;
      await storageRequest(`/upload/resumable/${id}`, { method: "DELETE", headers: TUS, signal: own })
        .then((response) => response.body?.cancel(), () => {});
    },
  };
}

async function tryAgain(signal: AbortSignal, attempt: (tries: number) => Promise<void>): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await attempt(tries);
    } catch (error) {
      signal.throwIfAborted();
      if (tries === TRIES || error instanceof UploadGone || error instanceof LongshoreError) throw error;
      await pause(100 * 2 ** tries, signal);
    }
  }
}

function metadata(fields: Record<string, string>): string {
  return Object.entries(fields).map(([name, value]) => `${name} ${btoa(value)}`).join(",");
}

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** The pieces behind their first `count` bytes. */
export function without(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  for (const piece of pieces) {
    if (count < piece.length) rest.push(piece.subarray(Math.max(0, count)));
    count -= piece.length;
  }
  return rest;
}

async function unexpected(what: string, response: Response): Promise<Error> {
  return storageFailure(what, await readRefusal(response));
}

async function notTaken(response: Response): Promise<Error> {
  const advice = "narrow the export down by its filters, or have the limit raised";
  return writeFailure("the file", await readRefusal(response), advice);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
