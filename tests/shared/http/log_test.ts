import { assert, assertEquals, assertMatch } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { LongshoreError, SetupError } from "../../../shared/errors.ts";
import { safeErrorFields } from "../../../shared/http/log.ts";
import { openSession } from "../../../shared/jobs/open_session.ts";
import { testStack } from "../../helpers/stack.ts";

Deno.test("safeErrorFields() tells the code of a call that PostgREST refused, and not its text", async () => {
  const refusal = { code: "23505", message: "Key (phone)=(+44 7700)", details: "+44 7700", hint: null };
  await using server = Deno.serve(
    { port: 0, onListen: () => {} },
    () => Response.json(refusal, { status: 409 }),
  );
  const client = createClient(`http://127.0.0.1:${server.addr.port}`, "key", {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { error } = await client.rpc("anything");
  assertEquals(safeErrorFields(error), { error: "object", code: "23505" });
});

Deno.test("safeErrorFields() tells no code that is a text", () => {
  assertEquals(safeErrorFields({ code: "+44 7700 is taken" }), { error: "object" });
  assertEquals(safeErrorFields(null), { error: "object" });
  assertEquals(safeErrorFields("+44 7700"), { error: "string" });
});

Deno.test("safeErrorFields() tells the SQLSTATE, and the one place in this code", async () => {
  const stack = await testStack();
  const sql = openSession(stack.workerUrl, { applicationName: "test" });
  const failure = await sql.begin((transaction) => transaction`select ${"7700"}::integer / 0`)
    .catch((error: unknown) => error);
  await sql.end();
  const { at, ...fields } = safeErrorFields(failure);
  assertEquals(fields, { error: "PostgresError", code: "22012", constraint: undefined, routine: "int4div" });
  assertMatch(String(at), /^at [^;]*log_test\.ts:\d+:\d+\)?$/);
});

Deno.test("safeErrorFields() tells the message of what is wrong with the set-up, and of nothing else", () => {
  const setup = safeErrorFields(new SetupError("SERVER_WITHOUT_TLS", "Cannot connect"));
  assertEquals([setup.code, setup.message], ["SERVER_WITHOUT_TLS", "Cannot connect"]);
  const other = safeErrorFields(new LongshoreError("missing_columns", 'found "+44 7700"'));
  assertEquals(other.code, "missing_columns");
  assert(!JSON.stringify(other).includes("7700"));
});

Deno.test("safeErrorFields() takes no line of a message for a place", () => {
  const error = new Error('invalid input: "x\n    at +44 7700 900123 Mrs Smith\n at file:1"');
  const { at } = safeErrorFields(error);
  assertMatch(String(at), /log_test\.ts:\d+:\d+/);
});
