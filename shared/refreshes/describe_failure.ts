/**
 * What a failed refresh tells people. In: whatever was thrown, and the run. Out: the contract's error, and whether the
 * same refresh may succeed a moment later. Texts of the database stay here, since they can quote rows.
 */
import postgres from "postgres";
import type { JobError } from "../jobs/job.ts";
import type { Run } from "./views.ts";

export interface RefreshFailure {
  error: JobError;
  /** Somebody was in the way, or the server had no room or no time. */
  passing: boolean;
}

/** Locks and deadlocks, connections, resources, shutdown, the engine's own. */
const PASSING = /^(55P03|40|08|53|57P|LS)/;

export function describeFailure(thrown: unknown, { view, refreshedAt }: Run): RefreshFailure {
  const sqlstate = thrown instanceof postgres.PostgresError ? thrown.code : null;
  const now = refreshedAt === null
    ? "it has no numbers yet"
    : `it shows the numbers of ${refreshedAt} as before`;
  return {
    error: {
      code: "refresh_failed",
      message: `Cannot refresh the view "${view}": ${reasonOf(sqlstate)}; ${now}`,
      details: { view, refreshed_at: refreshedAt, sqlstate },
    },
    passing: sqlstate === null || PASSING.test(sqlstate),
  };
}

function reasonOf(sqlstate: string | null): string {
  switch (sqlstate) {
    case null:
      return "the connection to the database broke";
    case "57014":
      return "its query took longer than it may";
    case "55P03":
      return "another refresh or a change of it was under way";
    case "21000":
    case "23505":
      return "its query gives two rows for one key";
    case "42P01":
    case "42704":
    case "55000":
      return "it is not there, or not as it must be";
    default:
      return `its query fails (SQLSTATE ${sqlstate})`;
  }
}
