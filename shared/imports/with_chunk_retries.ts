/**
 * Runs a chunk's transaction again where another session was in the way (a lock waited for too long, a deadlock), and
 * turns the engine's own SQLSTATEs into errors of the contract.
 */
import postgres from "postgres";
import { LongshoreError } from "../errors.ts";
import type { Slice } from "../jobs/slice.ts";

const IN_THE_WAY = new Set(["55P03", "40P01", "40001"]);
const TRIES = 5;

export async function withChunkRetries<T>(slice: Slice, run: () => Promise<T>): Promise<Awaited<T>> {
  for (let attempt = 1;; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      if (error.code === "LS004") {
        throw new LongshoreError("not_allowed", "Cannot import: you may not import into this scope");
      }
      if (error.code === "LS005") {
        throw new LongshoreError(
          "target_changed",
          "Cannot go on: the target was changed since the file was checked",
        );
      }
      if (!IN_THE_WAY.has(error.code) || attempt >= TRIES || slice.signal.aborted) throw error;
    }
  }
}
