import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { LongshoreError } from "../../../shared/errors.ts";
import { readBody } from "../../../shared/http/read_body.ts";
import { respondError } from "../../../shared/http/respond.ts";

const requestId = "r-12345678";

Deno.test("respondError() answers with the code, status and details of a LongshoreError", async () => {
  const response = respondError(new LongshoreError("expired", "Cannot commit", { details: { a: 1 } }), {
    requestId,
  });
  assertEquals(response.status, 409);
  assertEquals(await response.json(), {
    code: "expired",
    message: "Cannot commit",
    details: { a: 1, request_id: requestId },
  });
});

Deno.test("respondError() passes on what a SQL function raised for its callers", async () => {
  const raised = {
    code: "already_committed",
    message: "Cannot commit",
    details: '{"job_id": "j"}',
    hint: null,
  };
  const response = respondError(raised, { requestId });
  assertEquals(response.status, 409);
  assertEquals((await response.json()).details, { job_id: "j", request_id: requestId });
});

Deno.test("respondError() tells nothing of any other error", async () => {
  const others = [
    new Error("postgres://user:secret@host"),
    { code: "23505", message: "Key (phone)=(+44 7700) exists" },
    { code: "toString", message: "secret" },
    "secret",
    null,
  ];
  for (const thrown of others) {
    const response = respondError(thrown, { requestId });
    const text = await response.text();
    assertEquals([response.status, JSON.parse(text).code], [500, "internal"]);
    assert(!/secret|7700/.test(text));
  }
});

Deno.test("readBody() names the path of each issue and repeats no value", async () => {
  const schema = z.strictObject({ file: z.object({ path: z.string() }), mode: z.enum(["insert", "update"]) });
  const request = new Request("http://localhost", {
    method: "POST",
    body: '{"file": {"path": 7}, "mode": "secret"}',
  });
  const error = await readBody(request, schema).catch((thrown) => thrown);
  assert(error instanceof LongshoreError);
  assertEquals(error.code, "invalid_request");
  const issues = error.details?.issues as { path: string }[];
  assertEquals(issues.map(({ path }) => path), ["file.path", "mode"]);
  assert(!JSON.stringify(error.details).includes("secret"));
});

Deno.test("readBody() refuses what is not JSON", async () => {
  const request = new Request("http://localhost", { method: "POST", body: "{" });
  const error = await readBody(request, z.object({})).catch((thrown) => thrown);
  assert(error instanceof LongshoreError);
  assertEquals(error.code, "invalid_request");
});
