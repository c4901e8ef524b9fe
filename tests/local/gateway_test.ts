import { assert, assertEquals } from "@std/assert";
import { anonymous, service, signUp } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";

const stack = await testStack();

async function get(path: string, headers: Record<string, string> = {}): Promise<[number, unknown]> {
  const answer = await fetch(`${stack.url}${path}`, { headers });
  const text = await answer.text();
  return [answer.status, text.startsWith("{") ? JSON.parse(text) : text];
}

Deno.test("startGateway() refuses calls without a key, and keys it does not know", async () => {
  assertEquals(await get("/rest/v1/organizations"), [401, {
    message: "No API key found in request",
    hint: "No `apikey` request header or url param was found.",
  }]);
  const wrong = [401, {
    message: "Invalid API key",
    hint: "Double check your Supabase `anon` or `service_role` API key.",
  }];
  assertEquals(await get("/rest/v1/organizations", { apikey: "sb_secret_guess" }), wrong);
  const { accessToken } = await signUp(stack);
  assertEquals(await get("/rest/v1/organizations", { apikey: accessToken }), wrong);
});

Deno.test("startGateway() answers 404 for a path that is no service's", async () => {
  assertEquals(await get("/nowhere"), [404, { error: "requested path is invalid" }]);
  assertEquals(await get("/rest/v2/organizations"), [404, { error: "requested path is invalid" }]);
});

Deno.test("startGateway() turns keys into roles, and lets a person's token pass", async () => {
  const roleOf = async (headers: Record<string, string>) => {
    const [, body] = await get("/rest/v1/jobs?select=id&limit=0", { "accept-profile": "jobs", ...headers });
    return body;
  };
  const { client } = await signUp(stack);
  const made = await client.rpc("create_organization", { p_name: "Gateway" });
  assertEquals(made.error, null);
  assertEquals((await client.from("organizations").select("name")).data, [{ name: "Gateway" }]);
  assertEquals((await anonymous(stack).from("organizations").select("name")).data, null);
  const everybody = await service(stack).auth.admin.listUsers();
  assertEquals(everybody.error, null);
  // Clients repeat their key as the bearer; that must not count as a token.
  const bearer = { apikey: stack.secretKey, authorization: `Bearer ${stack.secretKey}` };
  assertEquals(await roleOf(bearer), "[]");
  assertEquals(await roleOf({ apikey: stack.secretKey }), "[]");
});

Deno.test("startGateway() takes the key from the address too, and hides it from PostgREST", async () => {
  const [status, body] = await get(
    `/rest/v1/jobs?select=id&limit=0&apikey=${encodeURIComponent(stack.secretKey)}`,
    { "accept-profile": "jobs" },
  );
  assertEquals([status, body], [200, "[]"]);
});

Deno.test("startGateway() refuses a forged token although the key is right", async () => {
  const { accessToken } = await signUp(stack);
  const [status] = await get("/rest/v1/organizations", {
    apikey: stack.publishableKey,
    authorization: `Bearer ${accessToken.slice(0, -4)}AAAA`,
  });
  assertEquals(status, 401);
});

Deno.test("startGateway() answers browsers' questions before the call, and lets them read the answer", async () => {
  for (const path of ["/rest/v1/organizations", "/auth/v1/user", "/storage/v1/bucket"]) {
    const asked = await fetch(`${stack.url}${path}`, {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "apikey,authorization,accept-profile",
      },
    });
    await asked.body?.cancel();
    assert(asked.ok, path);
    assertEquals(asked.headers.get("access-control-allow-origin"), "*");
    assert(asked.headers.get("access-control-allow-methods")?.includes("PATCH"));
    assertEquals(asked.headers.get("access-control-allow-headers"), "apikey,authorization,accept-profile");

    const answer = await fetch(`${stack.url}${path}`, {
      headers: { origin: "https://app.example", apikey: stack.publishableKey },
    });
    await answer.body?.cancel();
    assertEquals(answer.headers.get("access-control-allow-origin"), "*", path);
    assert(answer.headers.get("access-control-expose-headers")?.includes("Content-Range"));
  }
});

Deno.test("startGateway() serves the JWKS without a key", async () => {
  assertEquals(await get("/auth/v1/.well-known/jwks.json"), [200, { keys: stack.jwks.keys }]);
  for (const key of stack.jwks.keys) assert(!("d" in key));
});

Deno.test("startPostgrest() shows the schemas of the project, and changes of the schema at once", async () => {
  const { default: postgres } = await import("postgres");
  const sql = postgres(stack.dbUrl, { max: 1 });
  const name = `seen_${crypto.randomUUID().slice(0, 8)}`;
  try {
    await sql.unsafe(`create function public.${name}() returns int language sql as 'select 7';
      grant execute on function public.${name}() to service_role`);
    const client = service(stack);
    let seen = await client.rpc(name);
    // PostgREST hears of it by a notification, which takes a moment.
    for (let tries = 0; seen.error && tries < 100; tries++) {
      await new Promise((go) => setTimeout(go, 20));
      seen = await client.rpc(name);
    }
    assertEquals(seen.data, 7);
  } finally {
    await sql.unsafe(`drop function if exists public.${name}()`);
    await sql.end();
  }
});

Deno.test("startPostgrest() streams a large body both ways", async () => {
  const { default: postgres } = await import("postgres");
  const sql = postgres(stack.dbUrl, { max: 1 });
  const name = `echo_${crypto.randomUUID().slice(0, 8)}`;
  try {
    await sql.unsafe(`create function public.${name}(p jsonb) returns jsonb language sql as 'select p';
      grant execute on function public.${name}(jsonb) to service_role`);
    const client = service(stack);
    const p = { text: "x".repeat(3_000_000) };
    let echoed = await client.rpc(name, { p });
    for (let tries = 0; echoed.error && tries < 100; tries++) {
      await new Promise((go) => setTimeout(go, 20));
      echoed = await client.rpc(name, { p });
    }
    assertEquals(echoed.data?.text.length, 3_000_000);
  } finally {
    await sql.unsafe(`drop function if exists public.${name}(jsonb)`);
    await sql.end();
  }
});
