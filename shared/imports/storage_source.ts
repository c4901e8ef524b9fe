/**
 * The bytes of a pinned file, read from Storage by range with the secret key: a slice in the background has no token of
 * a person. Whoever calls has asked the database first whether the job's owner still sees this very file. The ETag of
 * every answer is compared too, so that a file that is replaced while it is read is noticed.
 */
import { LongshoreError } from "../errors.ts";
import type { ByteSource } from "../formats/reader.ts";
import type { PinnedFile } from "../jobs/job.ts";
import { readRefusal, storageFailure, type StorageRefusal, storageRequest } from "./storage_request.ts";

export interface StorageSource extends ByteSource {
  /** Milliseconds spent waiting for bytes so far: what is left of a read's duration is this isolate's own work. */
  readonly waitedMs: number;
  /** Bytes that have come in so far. */
  readonly receivedBytes: number;
}

export function storageSource(file: PinnedFile, options: { signal?: AbortSignal } = {}): StorageSource {
  let waitedMs = 0;
  let receivedBytes = 0;
  const size = file.size ?? 0;

  async function request(start: number, end: number): Promise<Response> {
    const from = performance.now();
    const response = await storageRequest(`/object/${file.bucket}/${encodePath(file.path)}`, {
      headers: { range: `bytes=${start}-${end - 1}` },
      ...options,
    });
    waitedMs += performance.now() - from;
    const tag = response.headers.get("etag")?.replace(/^W\//, "").replaceAll('"', "");
    if (response.ok && file.etag && tag && tag !== file.etag.replaceAll('"', "")) {
      await response.body?.cancel();
      throw changed(file);
    }
    if (!response.ok) throw refused(file, await readRefusal(response));
    if (response.status !== 206 && start > 0) {
      await response.body?.cancel();
      throw new Error(`Cannot read from Storage: found status ${response.status}, expected 206`);
    }
    return response;
  }

  return {
    size,
    get waitedMs() {
      return waitedMs;
    },
    get receivedBytes() {
      return receivedBytes;
    },
    async stream(start, end = size) {
      if (start >= end) return new ReadableStream({ start: (controller) => controller.close() });
      const reader = (await request(start, end)).body!.getReader();
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const from = performance.now();
          const { done, value } = await reader.read();
          waitedMs += performance.now() - from;
          receivedBytes += value?.length ?? 0;
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      }, { highWaterMark: 0 });
    },
    async read(start, end) {
      if (start >= end) return new Uint8Array();
      const response = await request(start, end);
      const from = performance.now();
      const bytes = new Uint8Array(await response.arrayBuffer());
      waitedMs += performance.now() - from;
      receivedBytes += bytes.length;
      return bytes;
    },
  };
}

function refused(file: PinnedFile, refusal: StorageRefusal): Error {
  if (refusal.status === 404) {
    return new LongshoreError(
      "file_not_found",
      `Cannot read the file "${file.path}": Storage has it no more; upload it and start again`,
    );
  }
  // It has become shorter than it was.
  if (refusal.status === 416) return changed(file);
  return storageFailure("read from", refusal);
}

function changed(file: PinnedFile): LongshoreError {
  return new LongshoreError(
    "file_changed",
    `Cannot go on with the file "${file.path}": it was changed or removed since the job was started`,
  );
}

/** Refuses steps such as "..", which an address would take for the way to another file, with a key that opens all. */
function encodePath(path: string): string {
  const steps = path.split("/");
  if (steps.some((step) => step === "." || step === "..")) {
    throw new LongshoreError("file_not_found", `Cannot read the file "${path}": found a step "." or ".."`);
  }
  return steps.map(encodeURIComponent).join("/");
}
