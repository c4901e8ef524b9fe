import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { signUp } from "../../helpers/people.ts";
import { testStack } from "../../helpers/stack.ts";
import { untilBlocked } from "../../helpers/until_blocked.ts";

Deno.test("percent_complete counts both milestones when two people move two of a component at once", async () => {
  const stack = await testStack();
  const ann = await signUp(stack, "ann");
  const { data: organization } = await ann.client.rpc("create_organization", { p_name: "Piping" })
    .throwOnError();
  const pipetrak = ann.client.schema("pipetrak");
  const { data: project } = await pipetrak.from("projects").insert({ org_id: organization.id, name: "Plant" })
    .select("id").single().throwOnError();
  const { data: drawing } = await pipetrak.from("drawings").insert({ project_id: project.id, number: "D-1" })
    .select("id").single().throwOnError();
  const { data: component } = await pipetrak.from("components")
    .insert({ project_id: project.id, drawing_id: drawing.id, tag: "SP-1", component_type: "spool" })
    .select("id").single().throwOnError();

  const sql = postgres(stack.dbUrl, { max: 3 });
  const move = (milestone: string, transaction: postgres.TransactionSql) =>
    transaction`
      update pipetrak.component_milestones set percent_complete = 100
      where component_id = ${component.id} and milestone = ${milestone}`;
  try {
    let second: Promise<unknown> = Promise.resolve();
    await sql.begin(async (first) => {
      await move("receive", first);
      const asked = Promise.withResolvers<number>();
      second = sql.begin(async (other) => {
        const [backend] = await other<{ pid: number }[]>`select pg_backend_pid() as pid`;
        asked.resolve(backend!.pid);
        await move("erect", other);
      });
      await untilBlocked(await asked.promise, sql);
    });
    await second;
  } finally {
    await sql.end();
  }

  const { data } = await pipetrak.from("components").select("percent_complete").eq("id", component.id)
    .single()
    .throwOnError();
  assertEquals(data.percent_complete, 50);
});
