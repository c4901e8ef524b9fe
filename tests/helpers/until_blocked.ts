/** Waits until a backend waits for a lock that another one holds: the moment that tests of two at once need. */
import type postgres from "postgres";

export async function untilBlocked(pid: number, sql: postgres.Sql): Promise<void> {
  for (;;) {
    const [row] = await sql<
      { blocked: boolean }[]
    >`select cardinality(pg_blocking_pids(${pid})) > 0 as blocked`;
    if (row?.blocked) return;
    await new Promise((go) => setTimeout(go, 10));
  }
}
