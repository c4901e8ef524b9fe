/**
 * Jobs that a test moves by hand, where it is about following them and not about their work. In: the stack. Out: rows of
 * jobs.jobs whose triggers send what the engine's own updates send. No slice ever claims them.
 */
import postgres from "postgres";
import { type Person, signUp } from "../../helpers/people.ts";
import type { TestStack } from "../../helpers/stack.ts";

export interface HandMovedJob {
  id: string;
  owner: Person;
  /** Updates the row, and so its version and its channel. */
  update(change: { state?: string; done?: number; result?: unknown; error?: unknown }): Promise<void>;
}

/** A running check of somebody new; `close` ends the connections. */
export function openJobs(stack: TestStack) {
  const sql = postgres(stack.adminUrl, { max: 1, onnotice: () => {} });
  return {
    async insert(): Promise<HandMovedJob> {
      const owner = await signUp(stack, "watcher");
      const { data: organization, error } = await owner.client
        .rpc("create_organization", { p_name: "Watchers" });
      if (error) throw error;
      const [row] = await sql`
        insert into jobs.jobs (kind, state, org_id, owner_id, params, started_at)
        values ('import_check', 'running', ${organization.id}, ${owner.userId}, '{"dataset": "x"}', now())
        returning id`;
      const id = String(row?.id);
      return { id, owner, update: (change) => update(id, change) };
    },
    close: () => sql.end(),
  };

  async function update(id: string, change: Parameters<HandMovedJob["update"]>[0]): Promise<void> {
    const { state = "running", done = 0, result = null, error = null } = change;
    const ended = ["succeeded", "failed", "cancelled"].includes(state);
    await sql`
      update jobs.jobs set
        state = ${state},
        progress = progress || ${sql.json({ done })}::jsonb,
        result = ${result === null ? null : JSON.stringify(result)}::text::jsonb,
        error = ${error === null ? null : JSON.stringify(error)}::text::jsonb,
        finished_at = case when ${ended} then now() end
      where id = ${id}`;
  }
}
