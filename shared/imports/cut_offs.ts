/**
 * How often the isolate's end has cut off what is done in one transaction, which then starts over: noted in the cursor that
 * the job is given back with, since nothing else of such a slice is saved.
 */
import type { Slice } from "../jobs/slice.ts";

export interface CutOffs {
  /** @default 0 */
  cutOffs?: number;
}

/** After so many the rows are taken to be more than an isolate has time for. */
const MAX_CUT_OFFS = 3;

export function takesTooLong({ cutOffs = 0 }: CutOffs): boolean {
  return cutOffs >= MAX_CUT_OFFS;
}

/** Counts this slice, should it be cut off before its next checkpoint. */
export function countIfCutOff(slice: Slice, cursor: CutOffs): void {
  slice.ifCutOff({ ...cursor, cutOffs: (cursor.cutOffs ?? 0) + 1 });
}
