/** The policies ask for the caller's projects once a statement, however many rows it touches. */
import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { importer } from "../../helpers/imports.ts";
import { testStack } from "../../helpers/stack.ts";

const UNDO = new Error("Undone: nothing of this is kept");

Deno.test("policies call their helpers once a statement, not once a row", async (t) => {
  const stack = await testStack();
  await using it = await importer(stack);
  const sql = postgres(stack.adminUrl, { max: 1, onnotice: () => {}, prepare: false });
  const claims = JSON.stringify({ sub: it.person.userId, role: "authenticated" });
  const statements: Record<string, string> = {
    insert: `insert into pipetrak.components (project_id, tag, component_type, drawing_id)
      select d.project_id, 'T-' || n, 'spool', d.id
      from pipetrak.drawings d, generate_series(1, 300) n where d.project_id = '${it.projectId}' and d.number = 'D-1'`,
    select: `select count(*) from pipetrak.components`,
    update: `update pipetrak.components set area = 'A' where project_id = '${it.projectId}'`,
    delete: `delete from pipetrak.components where project_id = '${it.projectId}'`,
  };
  await sql.begin(async (transaction) => {
    await transaction`select set_config('track_functions', 'pl', true), set_config('request.jwt.claims', ${claims}, true)`;
    const calls = async (): Promise<Record<string, number>> => {
      const rows = await transaction<{ name: string; calls: number }[]>`
        select funcname as name, calls::int from pg_stat_xact_user_functions
        where schemaname = 'pipetrak' and funcname like '%\\_projects' and funcname <> 'caller_projects'`;
      return Object.fromEntries(rows.map(({ name, calls }) => [name, calls]));
    };
    for (const [verb, statement] of Object.entries(statements)) {
      await t.step(verb, async () => {
        const before = await calls();
        await transaction`set local role authenticated`;
        await transaction.unsafe(statement);
        await transaction`reset role`;
        const after = await calls();
        const times = Object.entries(after).map(([name, count]) => count - (before[name] ?? 0));
        // A statement may ask for what it reads, for what it writes, and in the foreign keys and triggers behind it.
        assertEquals(times.filter((count) => count > 10), []);
        assertEquals(times.some((count) => count > 0), true);
      });
    }
    throw UNDO;
  }).catch((error) => {
    if (error !== UNDO) throw error;
  });
  await sql.end();
});
