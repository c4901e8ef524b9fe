import { assertEquals } from "@std/assert";
import { signUp } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";

Deno.test("create_organization() names the argument that is wrong in the error's details", async () => {
  const stack = await testStack();
  const ann = await signUp(stack, "ann");
  const { error, status } = await ann.client.rpc("create_organization", { p_name: " " });
  assertEquals([status, error?.code], [400, "invalid_request"]);
  assertEquals(JSON.parse(error?.details ?? "null"), { path: "p_name" });
});
