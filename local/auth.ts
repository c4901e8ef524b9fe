/**
 * Stand-in for Supabase Auth (GoTrue). Imitated: sign-up with e-mail and password (confirmed at once) or anonymously,
 * sign-in, refresh with rotation, the user, sign-out, the admin's verbs and links, JWKS, ES256 tokens with the hosted claims,
 * error bodies of both API versions. Left out: mail and phone, OAuth, SSO, MFA, captcha, hooks, rate limits.
 */
import postgres from "postgres";
import { handleAdmin } from "./auth/admin.ts";
import { readBody, recordField, textField } from "./auth/body.ts";
import { AuthError, errorResponse } from "./auth/error.ts";
import { verifyLink } from "./auth/links.ts";
import { refreshSession, type SessionMaker, startSession } from "./auth/sessions.ts";
import { findByPassword, findUser, insertUser, updateUser, userJson, type UserRow } from "./auth/users.ts";
import type { Keys } from "./keys.ts";
import type { Service, ServiceCall } from "./service.ts";

export interface AuthOptions {
  /** The database as superuser; Auth itself connects as `supabase_auth_admin`, so triggers run as hosted. */
  adminUrl: string;
  keys: Keys;
  /** The gateway's address, for the tokens' issuer. */
  siteUrl: string;
}

// deno-lint-ignore require-await
export async function startAuth(options: AuthOptions): Promise<Service> {
  const url = new URL(options.adminUrl);
  url.username = "supabase_auth_admin";
  const sql = postgres(url.href, { max: 5, onnotice: () => {} });
  const maker: SessionMaker = { sql, keys: options.keys, issuer: `${options.siteUrl}/auth/v1` };
  return {
    handle: (call) => handle(call, maker).catch((error) => failure(error, call.request)),
    stop: () => sql.end({ timeout: 1 }),
  };
}

async function handle(call: ServiceCall, maker: SessionMaker): Promise<Response> {
  const { sql, keys } = maker;
  const route = `${call.request.method} ${call.path}`;
  if (route === "GET /.well-known/jwks.json") return Response.json(keys.jwks);
  if (route === "GET /health") {
    return Response.json({ name: "GoTrue", version: "local", description: "stand-in" });
  }
  if (route === "GET /settings") return Response.json(SETTINGS);
  const body = call.request.method === "GET" ? {} : await readBody(call.request);
  if (call.path.startsWith("/admin/")) return await handleAdmin(call, { maker, body });
  switch (route) {
    case "POST /signup":
      return await signUp(maker, body);
    case "POST /token":
      return await signIn(maker, { grant: call.url.searchParams.get("grant_type"), body });
    case "POST /verify":
      return await verifyLink(maker, body);
    case "GET /user":
      return Response.json(await userJson(sql, (await caller(call, sql)).user));
    case "PUT /user":
      return await changeOwnUser(sql, { user: (await caller(call, sql)).user, body });
    case "POST /logout":
      return await signOut(sql, { ...await caller(call, sql), scope: call.url.searchParams.get("scope") });
  }
  throw new AuthError(404, { code: "not_found", message: "404 page not found" });
}

const SETTINGS = {
  external: { email: true, phone: false, anonymous_users: true },
  disable_signup: false,
  mailer_autoconfirm: true,
  phone_autoconfirm: false,
  sms_provider: "",
  saml_enabled: false,
};

async function signUp(maker: SessionMaker, body: Record<string, unknown>): Promise<Response> {
  const email = textField(body, "email");
  const password = textField(body, "password");
  const userMetadata = recordField(body, "data") ?? {};
  if (!email && !password) {
    return await startSession(maker, {
      user: await insertUser(maker.sql, { userMetadata }),
      method: "anonymous",
    });
  }
  if (!email) {
    throw new AuthError(400, {
      code: "validation_failed",
      message: "To signup, please provide your email",
    });
  }
  if (!password) {
    throw new AuthError(400, { code: "validation_failed", message: "Signup requires a valid password" });
  }
  const user = await insertUser(maker.sql, { email, password, userMetadata });
  return await startSession(maker, { user, method: "password" });
}

async function signIn(
  maker: SessionMaker,
  { grant, body }: { grant: string | null; body: Record<string, unknown> },
): Promise<Response> {
  if (grant === "refresh_token") return await refreshSession(maker, textField(body, "refresh_token") ?? "");
  if (grant !== "password") {
    throw new AuthError(400, { code: "invalid_credentials", message: "unsupported_grant_type" });
  }
  const email = textField(body, "email") ?? "";
  const password = textField(body, "password") ?? "";
  const user = await findByPassword(maker.sql, { email, password });
  if (!user) throw new AuthError(400, { code: "invalid_credentials", message: "Invalid login credentials" });
  return await startSession(maker, { user, method: "password" });
}

async function changeOwnUser(
  sql: postgres.Sql,
  { user, body }: { user: UserRow; body: Record<string, unknown> },
): Promise<Response> {
  const email = textField(body, "email");
  const password = textField(body, "password");
  const userMetadata = recordField(body, "data");
  if (password !== undefined && user.email !== null) {
    if (await findByPassword(sql, { email: user.email, password })) {
      throw new AuthError(422, {
        code: "same_password",
        message: "New password should be different from the old password.",
      });
    }
  }
  const changed = await updateUser(sql, {
    id: user.id,
    change: {
      ...(email === undefined ? {} : { email }),
      ...(password === undefined ? {} : { password }),
      ...(userMetadata ? { userMetadata } : {}),
    },
  });
  return Response.json(await userJson(sql, changed));
}

async function signOut(
  sql: postgres.Sql,
  { user, sessionId, scope }: { user: UserRow; sessionId: string; scope: string | null },
): Promise<Response> {
  if (scope === "local") await sql`delete from auth.sessions where id = ${sessionId}`;
  else if (scope === "others") {
    await sql`delete from auth.sessions where user_id = ${user.id} and id <> ${sessionId}`;
  } else await sql`delete from auth.sessions where user_id = ${user.id}`;
  return new Response(null, { status: 204 });
}

/** The person that the call's token stands for, with the session, both still there. */
async function caller(call: ServiceCall, sql: postgres.Sql): Promise<{ user: UserRow; sessionId: string }> {
  if (!call.token) {
    throw new AuthError(401, {
      code: "no_authorization",
      message: "This endpoint requires a valid Bearer token",
    });
  }
  if (!call.claims) {
    throw new AuthError(403, {
      code: "bad_jwt",
      message: "invalid JWT: unable to parse or verify signature, token is malformed or has expired",
    });
  }
  const { sub, session_id: sessionId } = call.claims;
  if (!sub) throw new AuthError(403, { code: "bad_jwt", message: "invalid claim: missing sub claim" });
  const user = await findUser(sql, sub);
  if (!user) {
    throw new AuthError(403, {
      code: "user_not_found",
      message: "User from sub claim in JWT does not exist",
    });
  }
  const id = typeof sessionId === "string" ? sessionId : null;
  const sessions = await sql`select from auth.sessions where id = ${id} and user_id = ${user.id}`;
  if (!id || sessions.length === 0) {
    throw new AuthError(403, {
      code: "session_not_found",
      message: "Session from session_id claim in JWT does not exist",
    });
  }
  return { user, sessionId: id };
}

function failure(error: unknown, request: Request): Response {
  if (error instanceof AuthError) return errorResponse(error, request);
  console.error("Auth failed:", error);
  const hidden = { code: "unexpected_failure", message: "Database error or other unexpected failure" };
  return errorResponse(new AuthError(500, hidden), request);
}
