import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { type Person, signUp } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";
import { untilBlocked } from "../helpers/until_blocked.ts";

Deno.test("remove_member() keeps one owner when two owners remove each other at once", async () => {
  const stack = await testStack();
  const [ann, ben] = [await signUp(stack, "ann"), await signUp(stack, "ben")];
  const { data: organization } = await ann.client.rpc("create_organization", { p_name: "Two owners" })
    .throwOnError();
  await ann.client.rpc("add_member", { p_org_id: organization.id, p_email: ben.email, p_role: "owner" })
    .throwOnError();

  const sql = postgres(stack.dbUrl, { max: 3 });
  try {
    const bens = Promise.withResolvers<void>();
    await sql.begin(async (first) => {
      await actAs(ann, first);
      await first`select public.remove_member(${organization.id}, ${ben.userId})`;

      // Ben asks while Ann has not committed: he waits for her, and finds himself gone.
      const asked = Promise.withResolvers<number>();
      sql.begin(async (second) => {
        const [backend] = await second<{ pid: number }[]>`select pg_backend_pid() as pid`;
        await actAs(ben, second);
        asked.resolve(backend!.pid);
        await second`select public.remove_member(${organization.id}, ${ann.userId})`;
      }).then(bens.resolve, bens.reject);
      bens.promise.catch(() => {});
      await untilBlocked(await asked.promise, sql);
    });
    const error = await bens.promise.then(() => null, (error: Error) => JSON.parse(error.message));
    assertEquals(error?.code, "not_allowed");
  } finally {
    await sql.end();
  }

  const { data: memberships } = await ann.client.from("memberships").select("user_id, role").throwOnError();
  assertEquals(memberships, [{ user_id: ann.userId, role: "owner" }]);
});

Deno.test("remove_member() answers through the API with the contract's error and its status", async () => {
  const stack = await testStack();
  const ann = await signUp(stack, "ann");
  const { data: organization } = await ann.client.rpc("create_organization", { p_name: "Alone" })
    .throwOnError();
  const { error, status } = await ann.client.rpc("remove_member", {
    p_org_id: organization.id,
    p_user_id: ann.userId,
  });
  assertEquals([status, error?.code], [409, "last_owner"]);
  assertEquals(error?.message, "Cannot remove the last owner: expected another owner to stay");
});

async function actAs(person: Person, sql: postgres.TransactionSql): Promise<void> {
  const claims = JSON.stringify({ sub: person.userId, role: "authenticated" });
  await sql`select set_config('request.jwt.claims', ${claims}, true)`;
  await sql`set local role authenticated`;
}
