import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { anonymous, service, signUp } from "../helpers/people.ts";
import { testStack } from "../helpers/stack.ts";

const stack = await testStack();
const sql = postgres(stack.adminUrl, { max: 1 });
Deno.test.afterAll(() => sql.end());

function claimsOf(token: string): Record<string, unknown> {
  const body = token.split(".")[1] ?? "";
  return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(body, { alphabet: "base64url" })));
}

function newEmail(): string {
  return `auth-${crypto.randomUUID()}@example.test`;
}

Deno.test("signUp() confirms at once and gives a session with the hosted claims", async () => {
  const email = newEmail();
  const { data, error } = await anonymous(stack).auth.signUp({
    email: email.toUpperCase(),
    password: "correct horse",
    options: { data: { nickname: "Ann" } },
  });
  assertEquals(error, null);
  assertEquals(data.user?.email, email);
  assertEquals(data.user?.user_metadata.nickname, "Ann");
  const claims = claimsOf(data.session?.access_token ?? "");
  assertEquals(
    {
      role: claims.role,
      aud: claims.aud,
      aal: claims.aal,
      email: claims.email,
      iss: claims.iss,
      sub: claims.sub,
      app: claims.app_metadata,
    },
    {
      role: "authenticated",
      aud: "authenticated",
      aal: "aal1",
      email,
      iss: `${stack.url}/auth/v1`,
      sub: data.user?.id,
      app: { provider: "email", providers: ["email"] },
    },
  );
});

Deno.test("signUp() refuses a known e-mail address, a short password and no address", async () => {
  const { email } = await signUp(stack);
  const { auth } = anonymous(stack);
  const known = await auth.signUp({ email, password: "correct horse" });
  assertEquals([known.error?.code, known.error?.status], ["user_already_exists", 422]);
  const short = await auth.signUp({ email: newEmail(), password: "12345" });
  assertEquals([short.error?.code, short.error?.status], ["weak_password", 422]);
  const wrong = await auth.signUp({ email: "nowhere", password: "correct horse" });
  assertEquals([wrong.error?.code, wrong.error?.status], ["validation_failed", 400]);
});

Deno.test("signInAnonymously() makes a person without an address", async () => {
  const { data, error } = await anonymous(stack).auth.signInAnonymously();
  assertEquals(error, null);
  assertEquals(claimsOf(data.session?.access_token ?? "").is_anonymous, true);
});

Deno.test("signInWithPassword() takes the right password only", async () => {
  const { email, password, userId } = await signUp(stack);
  const { auth } = anonymous(stack);
  const right = await auth.signInWithPassword({ email, password });
  assertEquals(right.data.user?.id, userId);
  const wrong = await auth.signInWithPassword({ email, password: `${password}.` });
  assertEquals([wrong.error?.code, wrong.error?.status], ["invalid_credentials", 400]);
  const nobody = await auth.signInWithPassword({ email: newEmail(), password });
  assertEquals(nobody.error?.code, "invalid_credentials");
});

Deno.test("refreshSession() rotates the token, forgives a lost answer and ends a stolen session", async () => {
  const { email, password } = await signUp(stack);
  const { data } = await anonymous(stack).auth.signInWithPassword({ email, password });
  const first = data.session?.refresh_token ?? "";
  const refresh = (token: string) => anonymous(stack).auth.refreshSession({ refresh_token: token });
  const next = await refresh(first);
  const second = next.data.session?.refresh_token ?? "";
  assertNotEquals(second, first);
  assertEquals((await refresh(first)).data.session?.refresh_token, second);

  await sql`update auth.refresh_tokens set updated_at = now() - interval '1 minute' where token = ${first}`;
  assertEquals((await refresh(first)).error?.code, "refresh_token_already_used");
  assertEquals((await refresh(second)).error?.code, "refresh_token_not_found");
});

Deno.test("refreshSession() serves many at once", async () => {
  const tokens = await Promise.all(Array.from({ length: 20 }, async () => {
    const { data } = await anonymous(stack).auth.signInAnonymously();
    return data.session?.refresh_token ?? "";
  }));
  const refreshed = await Promise.all(
    tokens.map((token) => anonymous(stack).auth.refreshSession({ refresh_token: token })),
  );
  assertEquals(refreshed.map(({ error }) => error), tokens.map(() => null));
});

Deno.test("getUser() knows the person, and neither strangers' tokens nor ended sessions", async () => {
  const { email, password } = await signUp(stack);
  const client = anonymous(stack);
  const { data } = await client.auth.signInWithPassword({ email, password });
  const token = data.session?.access_token ?? "";
  assertEquals((await client.auth.getUser(token)).data.user?.email, email);
  const forged = `${token.slice(0, -4)}AAAA`;
  assertEquals((await client.auth.getUser(forged)).error?.code, "bad_jwt");

  await client.auth.signOut();
  assertEquals((await anonymous(stack).auth.getUser(token)).error?.name, "AuthSessionMissingError");
});

Deno.test("getClaims() verifies a token with the JWKS that Auth publishes", async () => {
  const { accessToken, userId } = await signUp(stack);
  const { data, error } = await anonymous(stack).auth.getClaims(accessToken);
  assertEquals(error, null);
  assertEquals(data?.claims.sub, userId);
  assertEquals(data?.header.alg, "ES256");
});

Deno.test("updateUser() changes password, address and metadata", async () => {
  const { email, password } = await signUp(stack);
  const client = anonymous(stack);
  await client.auth.signInWithPassword({ email, password });
  assertEquals((await client.auth.updateUser({ password })).error?.code, "same_password");
  const address = newEmail();
  const { data } = await client.auth.updateUser({
    email: address,
    password: "another horse",
    data: { a: 1, b: { deep: null } },
  });
  assertEquals(data.user?.email, address);
  const again = await client.auth.updateUser({ data: { a: null, c: 2 } });
  assertEquals(again.data.user?.user_metadata.a, undefined);
  assertEquals(again.data.user?.user_metadata.b, { deep: null });
  assertEquals(again.data.user?.user_metadata.c, 2);
  const { error } = await anonymous(stack).auth.signInWithPassword({
    email: address,
    password: "another horse",
  });
  assertEquals(error, null);
});

Deno.test("auth.admin makes, finds, bans, changes and deletes people", async () => {
  const { admin } = service(stack).auth;
  const email = newEmail();
  const made = await admin.createUser({
    email,
    password: "correct horse",
    email_confirm: true,
    app_metadata: { plan: "big" },
  });
  const id = made.data.user?.id ?? "";
  assertEquals(made.data.user?.app_metadata, { provider: "email", providers: ["email"], plan: "big" });
  assertEquals((await admin.getUserById(id)).data.user?.email, email);
  const listed = await admin.listUsers({ page: 1, perPage: 1000 });
  assert(listed.data.users.some((user) => user.id === id));

  const { auth } = anonymous(stack);
  await admin.updateUserById(id, { ban_duration: "24h" });
  const banned = await auth.signInWithPassword({ email, password: "correct horse" });
  assertEquals(banned.error?.code, "user_banned");
  await admin.updateUserById(id, { ban_duration: "none", password: "third horse" });
  const freed = await auth.signInWithPassword({ email, password: "third horse" });
  assertEquals(freed.error, null);

  assertEquals((await admin.deleteUser(id)).error, null);
  assertEquals((await admin.getUserById(id)).error?.code, "user_not_found");
  const gone = await auth.signInWithPassword({ email, password: "third horse" });
  assertEquals(gone.error?.code, "invalid_credentials");
});

Deno.test("auth.admin.deleteUser() keeps a softly deleted person's row without the address", async () => {
  const { admin } = service(stack).auth;
  const { email, userId } = await signUp(stack);
  await admin.deleteUser(userId, true);
  const [row] = await sql`select email, deleted_at from auth.users where id = ${userId}`;
  assertNotEquals(row?.email, email);
  assert(row?.deleted_at);
  assertEquals((await admin.getUserById(userId)).error?.code, "user_not_found");
});

Deno.test("auth.admin is for the service only", async () => {
  const { accessToken, userId } = await signUp(stack);
  const asPerson = createClient(stack.url, stack.publishableKey, {
    global: { headers: { authorization: `Bearer ${accessToken}` } },
    auth: { persistSession: false, autoRefreshToken: false },
  });
  for (const client of [asPerson, anonymous(stack)]) {
    const { error } = await client.auth.admin.deleteUser(userId);
    assertEquals([error?.code, error?.status], ["not_admin", 403]);
  }
});

Deno.test("errors have the old shape for clients that do not ask for a version", async () => {
  const answer = await fetch(`${stack.url}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { apikey: stack.publishableKey },
    body: JSON.stringify({ email: newEmail(), password: "correct horse" }),
  });
  assertEquals(answer.status, 400);
  assertEquals(await answer.json(), {
    code: 400,
    error_code: "invalid_credentials",
    msg: "Invalid login credentials",
  });
});

Deno.test("auth.admin.generateLink() makes a link that lets the person in once", async () => {
  const { admin } = service(stack).auth;
  const { email, userId } = await signUp(stack);
  const { data, error } = await admin.generateLink({ type: "magiclink", email });
  assertEquals(error, null);
  const verify = () =>
    anonymous(stack).auth.verifyOtp({ type: "magiclink", token_hash: data.properties?.hashed_token ?? "" });
  assertEquals((await verify()).data.user?.id, userId);
  assertEquals((await verify()).error?.code, "otp_expired");
  const unknown = await admin.generateLink({ type: "recovery", email: newEmail() });
  assertEquals(unknown.error?.code, "user_not_found");
});
