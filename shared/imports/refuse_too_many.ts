/** Ends a check that has more rows with problems than the request allows; those found so far are shown first. */
import { LongshoreError } from "../errors.ts";
import type { Slice } from "../jobs/slice.ts";
import { publishCheckProblems } from "./staging.ts";

export async function refuseTooMany(slice: Slice, limit: number | undefined, invalid: number): Promise<void> {
  if (limit === undefined || invalid < limit) return;
  await publishCheckProblems(slice.sql, slice);
  throw new LongshoreError(
    "too_many_problems",
    `Cannot go on with the check: found ${invalid} rows with problems, expected fewer than ${limit}`,
    { details: { invalid, stop_after_problems: limit } },
  );
}
