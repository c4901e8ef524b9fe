/**
 * A check that stays in its middle for as long as a test wants. In: somebody at the app, who is not signed up yet. Out:
 * the check, which the page follows; it goes on when it is released. What holds it is a drawing that somebody else is
 * just adding: the rows need it, and Postgres lets them wait.
 */
import type postgres from "postgres";
import type { Visitor } from "./_visitor.ts";

export interface HeldCheck extends AsyncDisposable {
  jobId: string;
  release(): Promise<void>;
}

export async function startHeldCheck(
  visitor: Visitor,
  { admin, file }: { admin: postgres.Sql; file: string },
): Promise<HeldCheck> {
  await visitor.signUp();
  const other = await admin.reserve();
  let held = true;
  const release = async () => {
    if (!held) return;
    held = false;
    await other`rollback`;
    other.release();
  };
  try {
    await other`begin`;
    const [holder] = await other<{ pid: number }[]>`
      insert into pipetrak.drawings (project_id, number) values (${await visitor.projectId()}, 'ISO-1')
      returning pg_backend_pid() as pid`;
    await visitor.pickFile(file);
    await visitor.sees("states", "import_check running");
    await untilHeld(admin, holder?.pid ?? 0);
    return { jobId: await visitor.jobId(), release, [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function untilHeld(admin: postgres.Sql, holder: number): Promise<void> {
  for (;;) {
    const [row] = await admin<{ held: boolean }[]>`
      select exists (select from pg_stat_activity where ${holder} = any (pg_blocking_pids(pid))) as held`;
    if (row?.held) return;
    await new Promise((go) => setTimeout(go, 10));
  }
}
