/**
 * Links that let a person in once, as the service asks for them instead of sending mail. In: `/admin/generate_link`,
 * and `/verify` with the link's token. Out: the link, and the session it is worth. Left out: the redirect of a link that
 * is opened in a browser, and codes of six digits sent by mail.
 */
import { encodeBase64Url } from "@std/encoding/base64url";
import { recordField, textField } from "./body.ts";
import { AuthError } from "./error.ts";
import { type SessionMaker, startSession } from "./sessions.ts";
import { findUser, insertUser, userJson, type UserRow } from "./users.ts";

const LINK_HOURS = 1;

/** Which kinds make a person who is not there yet. */
const MAKES_PEOPLE: Record<string, boolean> = {
  signup: true,
  invite: true,
  magiclink: true,
  recovery: false,
};

export async function generateLink(maker: SessionMaker, body: Record<string, unknown>): Promise<Response> {
  const { sql } = maker;
  const type = textField(body, "type") ?? "";
  const email = (textField(body, "email") ?? "").toLowerCase();
  const makesPeople = MAKES_PEOPLE[type];
  if (makesPeople === undefined) {
    throw new AuthError(400, {
      code: "validation_failed",
      message: "Invalid email action link type requested",
    });
  }
  const [known] = await sql<
    UserRow[]
  >`select * from auth.users where email = ${email} and deleted_at is null`;
  if (!known && !makesPeople) {
    throw new AuthError(404, { code: "user_not_found", message: "User with this email not found" });
  }
  if (known && (type === "signup" || type === "invite")) {
    throw new AuthError(422, {
      code: "email_exists",
      message: "A user with this email address has already been registered",
    });
  }
  const password = textField(body, "password");
  const user = known ?? await insertUser(sql, {
    email,
    userMetadata: recordField(body, "data") ?? {},
    ...(password === undefined ? {} : { password }),
  });
  const token = encodeBase64Url(crypto.getRandomValues(new Uint8Array(24)));
  await sql`
    insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
    values (${crypto.randomUUID()}, ${user.id}, 'recovery_token', ${token}, ${email})
    on conflict (user_id, token_type) do update
      set token_hash = excluded.token_hash, created_at = now(), updated_at = now()`;
  const redirectTo = textField(body, "redirect_to") ?? "";
  const query = new URLSearchParams({ token, type, redirect_to: redirectTo });
  return Response.json({
    ...await userJson(sql, user),
    action_link: `${maker.issuer}/verify?${query}`,
    email_otp: "",
    hashed_token: token,
    verification_type: type,
    redirect_to: redirectTo,
  });
}

export async function verifyLink(maker: SessionMaker, body: Record<string, unknown>): Promise<Response> {
  const token = textField(body, "token_hash") ?? "";
  const [used] = await maker.sql<{ user_id: string; is_fresh: boolean }[]>`
    delete from auth.one_time_tokens where token_hash = ${token}
    returning user_id, created_at > now() - make_interval(hours => ${LINK_HOURS}) as is_fresh`;
  const user = used?.is_fresh ? await findUser(maker.sql, used.user_id) : null;
  if (!user) {
    throw new AuthError(403, { code: "otp_expired", message: "Email link is invalid or has expired" });
  }
  return await startSession(maker, { user, method: "otp" });
}
