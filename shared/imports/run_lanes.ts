/**
 * Runs the same work in the slice's session and, where there is enough of it and a session to spare, in its second one.
 * Ends when both have: the first failure is thrown only then.
 */
import type { Sql } from "../jobs/connect.ts";
import type { Slice } from "../jobs/slice.ts";
import { secondSession } from "./second_session.ts";

export interface Lane {
  sql: Sql;
  /** Whether to go on after so many steps: the first lane makes one at least, or slices would follow each other for ever. */
  goesOn(steps: number): boolean;
}

export async function runLanes(
  slice: Slice,
  { two }: { two: boolean },
  run: (lane: Lane) => Promise<void>,
): Promise<void> {
  const lane = (sql: Sql, atLeast: number) =>
    run({ sql, goesOn: (steps) => steps < atLeast || !slice.shouldStop() });
  const lanes = [lane(slice.sql, 1)];
  const second = two ? await secondSession(slice) : null;
  if (second) lanes.push(lane(second, 0));
  const outcomes = await Promise.allSettled(lanes);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
