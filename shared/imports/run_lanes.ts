/**
 * Part after part of the same work, in the slice's session and, where there is enough of it and a session to spare, in its
 * second one. Ends when both have; when one of them fails, the other takes no more, and what failed first is thrown.
 */
import type { Sql } from "../jobs/connect.ts";
import type { Slice } from "../jobs/slice.ts";
import { secondSession } from "./second_session.ts";

export interface Lanes<T> {
  /** Whether there is enough for two sessions. */
  two: boolean;
  /** The next part, or null when there are no more. Called one at a time, so that it may count on what it took before. */
  take(sql: Sql): Promise<T | null>;
  run(part: T, sql: Sql): Promise<void>;
  /** Whether to stop though there are more. @default never */
  isEnough?(): boolean;
}

/** Answers whether all parts were taken, and done: else it is enough, or the budget is spent. */
export async function runLanes<T>(
  slice: Slice,
  { two, take, run, isEnough = () => false }: Lanes<T>,
): Promise<boolean> {
  const failures: unknown[] = [];
  let ended = false;
  let taking: Promise<unknown> = Promise.resolve();

  const next = (sql: Sql): Promise<T | null> => {
    const part = taking.then(() => take(sql));
    taking = part.catch(() => {});
    return part;
  };

  // It never rejects: nobody listens to one lane while the other's session is opened.
  const runLane = async (sql: Sql, atLeast: number): Promise<null> => {
    const goesOn = (parts: number) =>
      !ended && failures.length === 0 && !isEnough() && (parts < atLeast || !slice.shouldStop());
    try {
      for (let parts = 0; goesOn(parts); parts++) {
        const part = await next(sql);
        if (part === null) ended = true;
        else await run(part, sql);
      }
    } catch (error) {
      failures.push(error);
    }
    return null;
  };

  // One part at least, however little a slice may do: slices without a part would follow each other for ever.
  const first = runLane(slice.sql, 1);
  const second = two ? await Promise.race([secondSession(slice), first]) : null;
  await Promise.all([first, second && runLane(second, 0)]);
  if (failures.length > 0) throw failures[0];
  return ended;
}
