/**
 * The life of an export, a slice at a time: ask for the right, read rows from one snapshot, write them to a file, and go on
 * in later slices with what the first could not write. A file that is not complete is never seen; a job that was
 * cancelled leaves none.
 */
import { reports as all } from "../domains/reports.ts";
import { parseInput } from "../http/read_body.ts";
import { checkLease, type Json, type Lease, stopReason } from "../jobs/engine.ts";
import type { Slice, SliceOutcome } from "../jobs/slice.ts";
import { storageRequest } from "../imports/storage_request.ts";
import { type WritingCursor, writingCursor } from "./export_cursor.ts";
import { type ExportFile, type FinishedFile, openFile } from "./export_file.ts";
import { ExportRequest } from "./export_request.ts";
import { forgetExport, readTail } from "./reading.ts";
import type { Report } from "./report.ts";
import { requireReader } from "./require_reader.ts";
import { type ResolvedExport, resolveRequest } from "./resolve_request.ts";
import { UploadGone } from "./upload_in_parts.ts";
import { writeKeptRows } from "./write_kept_rows.ts";
import { type LiveExport, writeLiveRows } from "./write_live_rows.ts";

export interface RunExportOptions {
  /** @default every report there is */
  reports?: readonly Report[];
}

export async function runExport(slice: Slice, options: RunExportOptions = {}): Promise<SliceOutcome> {
  // A job may have been made past the function.
  const request = resolveRequest(parseInput(slice.params, ExportRequest), options.reports ?? all);
  const start = writingCursor(slice);
  const rights = await requireReader(slice, request, start);
  const file = await open(slice, request, start);
  const left = start ? await goOn(slice, file, start) : await begin(slice, { ...request, rights }, file);
  if (left) return { outcome: "continue" };
  const finished = await finish(slice, file, start);
  const cut = file.cutTexts > 0 ? { cut_texts: file.cutTexts } : {};
  return { outcome: "done", result: { file: { ...finished }, ...cut } as Json };
}

async function open(
  slice: Slice,
  request: ResolvedExport,
  start: WritingCursor | null,
): Promise<ExportFile> {
  const { job, signal, cpu, settings } = slice;
  const name = request.report.name.split(".").at(-1);
  return await openFile({
    request,
    bucket: "exports",
    // A slice that has lost its lease may still be sending: what it writes must not replace the file of another.
    path: start?.path ?? `${job.org_id}/${job.id}/${slice.token}/${name}.${request.format}`,
    signal,
    cpu,
    limit: settings.export_bytes,
    ...(start ? { left: { state: start.file, tail: await readTail(slice.sql, leaseOf(slice)) } } : {}),
  });
}

async function begin(
  slice: Slice,
  request: LiveExport,
  file: ExportFile,
): Promise<WritingCursor | null> {
  try {
    return await writeLiveRows(slice, request, file);
  } catch (error) {
    // Nobody could go on with it: its rows are gone with their snapshot.
    await file.abandon();
    throw error;
  }
}

async function goOn(slice: Slice, file: ExportFile, start: WritingCursor): Promise<WritingCursor | null> {
  try {
    return await writeKeptRows(slice, file, start);
  } catch (error) {
    if (error instanceof UploadGone) await startOver(slice);
    else if (await endOf(slice) === "cancelled") await file.abandon();
    throw error;
  }
}

async function finish(slice: Slice, file: ExportFile, start: WritingCursor | null): Promise<FinishedFile> {
  try {
    const finished = await file.finish();
    await checkLease(slice.sql, leaseOf(slice));
    return finished;
  } catch (error) {
    if (error instanceof UploadGone) await startOver(slice);
    else {
      const end = await endOf(slice);
      // Another slice may go on with a file that was begun before this one, but not with this one's own.
      if (end === "cancelled" || end === "lost" && !start) {
        await file.abandon();
        await removeFile(file);
      }
    }
    throw error;
  }
}

/** The attempt has failed; the next one begins with the rows of then. */
async function startOver(slice: Slice): Promise<void> {
  await slice.sql.begin(async (transaction) => {
    await forgetExport(transaction, leaseOf(slice));
    await slice.checkpoint(transaction, { phase: "start" });
  });
}

/** Why the lease holds no more; null where it does, or nobody says. */
async function endOf(slice: Slice): Promise<ReturnType<typeof stopReason>> {
  try {
    await checkLease(slice.sql, leaseOf(slice));
    return null;
  } catch (error) {
    return stopReason(error);
  }
}

/** The last part may have arrived before the lease ended. */
async function removeFile({ bucket, path }: ExportFile): Promise<void> {
  const signal = AbortSignal.timeout(2000);
  await storageRequest(`/object/${bucket}/${path}`, { method: "DELETE", signal })
    .then((response) => response.body?.cancel(), () => {});
}

function leaseOf({ job, token }: Slice): Lease {
  return { jobId: job.id, token };
}
