/**
 * The slice's second session, or null where the database has none to spare: the work is then done with one.
 */
import type { Sql } from "../jobs/connect.ts";
import type { Slice } from "../jobs/slice.ts";

export async function secondSession({ second }: Slice): Promise<Sql | null> {
  try {
    await second`select`;
    return second;
  } catch {
    return null;
  }
}
