/**
 * One file in the making: blocks of rows in, an object in Storage at the end, with its size and its SHA-256. Keeps at most
 * two parts in memory. It can be left between two blocks and gone on with in another isolate; what is sent twice then is
 * the same bytes.
 */
import { createSHA256, type IHasher } from "hash-wasm";
import { LongshoreError } from "../errors.ts";
import type { WorkbookState } from "../formats/xlsx/mod.ts";
import type { Cpu } from "../jobs/budget.ts";
import { concat, encodeBlocks } from "./encode_blocks.ts";
import type { Block } from "./reading.ts";
import type { ResolvedExport } from "./resolve_request.ts";
import { PART_BYTES, sizeOf, uploadInParts, type UploadState, without } from "./upload_in_parts.ts";

/** Where a file was left; plain JSON. */
export interface FileState {
  upload: UploadState;
  /** Of all bytes so far, those that were not sent yet among them; base64. */
  hash: string;
  bytes: number;
  rows: number;
  workbook: WorkbookState | null;
}

export interface FinishedFile {
  bucket: string;
  path: string;
  bytes: number;
  rows: number;
  sha256: string;
}

export interface ExportFile {
  readonly bucket: string;
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly cutTexts: number;
  write(block: Block): Promise<void>;
  /** Waits for what is under way, and says where to go on; the tail are bytes too few for a part. */
  pause(): Promise<{ state: FileState; tail: Uint8Array }>;
  finish(): Promise<FinishedFile>;
  /** Has Storage forget what it was sent. */
  abandon(): Promise<void>;
}

export interface OpenFileOptions {
  request: ResolvedExport;
  bucket: string;
  path: string;
  signal: AbortSignal;
  cpu: Cpu;
  /** The largest file there may be. */
  limit: number;
  /** What another slice left. @default a new file */
  left?: { state: FileState; tail: Uint8Array };
}

const CONTENT_TYPES = {
  csv: "text/csv",
  ndjson: "application/x-ndjson",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/** What taking a byte from the database and sending it to Storage costs an isolate, in milliseconds. */
const TRANSFER_MS = 2.8e-6;
/** The same for a byte that is kept for the next slice, and for one that was kept. */
const TAIL_MS = 12e-6;

export async function openFile(options: OpenFileOptions): Promise<ExportFile> {
  const { request, bucket, path, signal, cpu, limit, left } = options;
  const hasher = await openHasher(left?.state.hash);
  const encoder = encodeBlocks({
    ...request,
    state: left?.state.workbook ?? null,
    begun: left !== undefined,
  });
  const upload = uploadInParts({
    bucket,
    path,
    contentType: CONTENT_TYPES[request.format],
    state: left?.state.upload ?? { id: null, offset: 0 },
    signal,
  });
  let rows = left?.state.rows ?? 0;
  let bytes = left?.state.bytes ?? 0;
  let waiting: Uint8Array[] = left && left.tail.length > 0 ? [left.tail] : [];
  let sending: Promise<void> = Promise.resolve();
  cpu.add(sizeOf(waiting) * TAIL_MS);

  function add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    bytes += piece.length;
    refuseLarger(bytes, limit);
    hasher.update(piece);
    waiting.push(piece);
  }

  /** Sends whole parts, one at a time; one byte at least is left for the last part. */
  async function sendParts(): Promise<void> {
    while (sizeOf(waiting) > PART_BYTES) {
      const part = firstOf(waiting, PART_BYTES);
      waiting = without(waiting, PART_BYTES);
      await sending;
      sending = upload.send(part);
      // It is awaited with the next part.
      sending.catch(() => {});
    }
  }

  cpu.run(() => add(encoder.start()));
  return {
    bucket,
    path,
    get rows() {
      return rows;
    },
    get bytes() {
      return bytes;
    },
    get cutTexts() {
      return encoder.cutTexts;
    },
    async write(block) {
      cpu.run(() => add(encoder.encode(block.bytes)));
      cpu.add(block.bytes.length * TRANSFER_MS);
      rows += block.rows;
      await sendParts();
    },
    async pause() {
      await sending;
      cpu.add(sizeOf(waiting) * TAIL_MS);
      const hash = btoa(String.fromCharCode(...hasher.save()));
      const state = { upload: upload.state, hash, bytes, rows, workbook: encoder.state() };
      return { state, tail: concat(waiting) };
    },
    async finish() {
      cpu.run(() => add(encoder.finish()));
      await sendParts();
      await sending;
      await upload.finish(waiting);
      return { bucket, path, bytes, rows, sha256: hasher.digest("hex") };
    },
    async abandon() {
      await sending.catch(() => {});
      await upload.abandon();
    },
  };
}

async function openHasher(state: string | undefined): Promise<IHasher> {
  const hasher = await createSHA256();
  if (state === undefined) return hasher.init();
  return hasher.load(Uint8Array.from(atob(state), (char) => char.charCodeAt(0)));
}

export function refuseLarger(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new LongshoreError(
    "file_too_large",
    `Cannot write a file of more than ${limit} bytes: narrow the export down by its filters`,
    { details: { limit } },
  );
}

function firstOf(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  const first: Uint8Array[] = [];
  for (const piece of pieces) {
    if (count <= 0) break;
    first.push(piece.subarray(0, count));
    count -= piece.length;
  }
  return first;
}
