/**
 * Sessions and refresh tokens. In: a person who has proved to be one, or a refresh token. Out: the session as Auth
 * answers it, with an ES256 access token. A refresh token works once; using it again ends the session, but for a
 * client whose answer got lost a moment ago.
 */
import { encodeBase64Url } from "@std/encoding/base64url";
import type postgres from "postgres";
import type { Keys } from "../keys.ts";
import { AuthError } from "./error.ts";
import { findUser, userJson, type UserRow } from "./users.ts";

const ACCESS_TOKEN_SECONDS = 3600;
const REUSE_INTERVAL_SECONDS = 10;

export interface SessionMaker {
  sql: postgres.Sql;
  keys: Keys;
  /** The `iss` of the tokens, such as `http://127.0.0.1:54321/auth/v1`. */
  issuer: string;
}

export async function startSession(
  maker: SessionMaker,
  { user, method }: { user: UserRow; method: "password" | "anonymous" | "otp" },
): Promise<Response> {
  refuseBanned(user);
  const { sql } = maker;
  const sessionId = crypto.randomUUID();
  const refreshToken = newRefreshToken();
  const [signedIn] = await sql.begin(async (transaction) => {
    await transaction`
      insert into auth.sessions (id, user_id, created_at, updated_at, aal)
      values (${sessionId}, ${user.id}, now(), now(), 'aal1')`;
    await transaction`
      insert into auth.refresh_tokens (token, user_id, session_id, revoked, created_at, updated_at)
      values (${refreshToken}, ${user.id}, ${sessionId}, false, now(), now())`;
    return await transaction<UserRow[]>`
      update auth.users set last_sign_in_at = now(), updated_at = now() where id = ${user.id} returning *`;
  });
  return await sessionResponse(maker, { user: signedIn ?? user, sessionId, refreshToken, method });
}

export async function refreshSession(maker: SessionMaker, refreshToken: string): Promise<Response> {
  const { sql } = maker;
  const outcome = await sql.begin(async (transaction) => {
    const [found] = await transaction<{
      id: string;
      session_id: string;
      user_id: string;
      revoked: boolean;
      reusable: boolean;
    }[]>`
      select tokens.id, session_id, tokens.user_id, revoked,
        tokens.updated_at > now() - make_interval(secs => ${REUSE_INTERVAL_SECONDS}) as reusable
      from auth.refresh_tokens tokens join auth.sessions on sessions.id = session_id
      where token = ${refreshToken} for update of sessions`;
    if (!found) return "not_found";
    const user = await findUser(transaction, found.user_id);
    if (!user) return "not_found";
    refuseBanned(user);
    if (found.revoked) {
      const [active] = await transaction<{ token: string }[]>`
        select token from auth.refresh_tokens where session_id = ${found.session_id} and not revoked`;
      if (found.reusable && active) return { user, sessionId: found.session_id, refreshToken: active.token };
      await transaction`delete from auth.sessions where id = ${found.session_id}`;
      return "used";
    }
    const next = newRefreshToken();
    await transaction`
      update auth.refresh_tokens set revoked = true, updated_at = now() where token = ${refreshToken}`;
    await transaction`
      insert into auth.refresh_tokens (token, user_id, session_id, revoked, parent, created_at, updated_at)
      values (${next}, ${user.id}, ${found.session_id}, false, ${refreshToken}, now(), now())`;
    await transaction`update auth.sessions set refreshed_at = now() where id = ${found.session_id}`;
    return { user, sessionId: found.session_id, refreshToken: next };
  });
  if (outcome === "not_found") {
    throw new AuthError(400, {
      code: "refresh_token_not_found",
      message: "Invalid Refresh Token: Refresh Token Not Found",
    });
  }
  if (outcome === "used") {
    throw new AuthError(400, {
      code: "refresh_token_already_used",
      message: "Invalid Refresh Token: Already Used",
    });
  }
  return await sessionResponse(maker, { ...outcome, method: "password" });
}

function refuseBanned(user: UserRow): void {
  if (user.banned_until && user.banned_until.getTime() > Date.now()) {
    throw new AuthError(400, { code: "user_banned", message: "User is banned" });
  }
}

async function sessionResponse(
  { sql, keys, issuer }: SessionMaker,
  session: { user: UserRow; sessionId: string; refreshToken: string; method: string },
): Promise<Response> {
  const { user, sessionId, refreshToken, method } = session;
  const now = Math.floor(Date.now() / 1000);
  const accessToken = await keys.sign({
    iss: issuer,
    sub: user.id,
    aud: user.aud,
    email: user.email ?? "",
    phone: user.phone ?? "",
    app_metadata: user.raw_app_meta_data,
    user_metadata: user.raw_user_meta_data,
    role: user.role,
    aal: "aal1",
    amr: [{ method, timestamp: now }],
    session_id: sessionId,
    is_anonymous: user.is_anonymous,
  }, ACCESS_TOKEN_SECONDS);
  return Response.json({
    access_token: accessToken,
    token_type: "bearer",
    expires_in: ACCESS_TOKEN_SECONDS,
    expires_at: now + ACCESS_TOKEN_SECONDS,
    refresh_token: refreshToken,
    user: await userJson(sql, user),
  });
}

function newRefreshToken(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(9)));
}
