/**
 * `/admin`: people as the service manages them. In: a call whose token has the role `service_role`. Out: Auth's answer.
 * Left out: factors, invitations by mail, audit log.
 */
import type postgres from "postgres";
import type { ServiceCall } from "../service.ts";
import { booleanField, recordField, textField } from "./body.ts";
import { AuthError } from "./error.ts";
import { generateLink } from "./links.ts";
import type { SessionMaker } from "./sessions.ts";
import {
  findUser,
  insertUser,
  updateUser,
  type UserChange,
  userJson,
  userNotFound,
  type UserRow,
} from "./users.ts";

export async function handleAdmin(
  call: ServiceCall,
  { maker, body }: { maker: SessionMaker; body: Record<string, unknown> },
): Promise<Response> {
  const { sql } = maker;
  if (!call.claims) {
    throw new AuthError(401, {
      code: "no_authorization",
      message: "This endpoint requires a valid Bearer token",
    });
  }
  if (call.claims.role !== "service_role") {
    throw new AuthError(403, { code: "not_admin", message: "User not allowed" });
  }
  if (call.path === "/admin/generate_link" && call.request.method === "POST") {
    return await generateLink(maker, body);
  }
  const match = /^\/admin\/users(?:\/([^/]+))?$/.exec(call.path);
  const id = match?.[1];
  const method = call.request.method;
  if (match && id === undefined && method === "POST") {
    const own = textField(body, "id");
    const user = await insertUser(sql, { ...change(body), ...(own === undefined ? {} : { id: own }) });
    return Response.json(await userJson(sql, user));
  }
  if (match && id === undefined && method === "GET") return await listUsers(sql, call.url);
  if (id !== undefined) {
    const user = isUuid(id) ? await findUser(sql, id) : null;
    if (!user) throw userNotFound();
    if (method === "GET") return Response.json(await userJson(sql, user));
    if (method === "PUT") {
      return Response.json(await userJson(sql, await updateUser(sql, { id, change: change(body) })));
    }
    if (method === "DELETE") {
      await deleteUser(sql, { id, soft: booleanField(body, "should_soft_delete") ?? false });
      return Response.json({});
    }
  }
  throw new AuthError(404, { code: "not_found", message: "404 page not found" });
}

function change(body: Record<string, unknown>): UserChange {
  const fields: UserChange = {};
  const email = textField(body, "email");
  const password = textField(body, "password");
  const role = textField(body, "role");
  const banDuration = textField(body, "ban_duration");
  const userMetadata = recordField(body, "user_metadata");
  const appMetadata = recordField(body, "app_metadata");
  if (email !== undefined) fields.email = email;
  if (password !== undefined) fields.password = password;
  if (role !== undefined) fields.role = role;
  if (banDuration !== undefined) fields.banDuration = banDuration;
  if (userMetadata) fields.userMetadata = userMetadata;
  if (appMetadata) fields.appMetadata = appMetadata;
  return fields;
}

async function listUsers(sql: postgres.Sql, url: URL): Promise<Response> {
  const page = Math.max(1, Number(url.searchParams.get("page")) || 1);
  const perPage = Math.max(1, Number(url.searchParams.get("per_page")) || 50);
  const rows = await sql<UserRow[]>`
    select * from auth.users where deleted_at is null
    order by created_at desc, id limit ${perPage} offset ${(page - 1) * perPage}`;
  const [total] = await sql<{ count: number }[]>`
    select count(*)::integer as count from auth.users where deleted_at is null`;
  const count = total?.count ?? 0;
  const last = Math.max(1, Math.ceil(count / perPage));
  const to = (target: number, rel: string) =>
    `<${url.pathname}?page=${target}&per_page=${perPage}>; rel="${rel}"`;
  const link = [...(page < last ? [to(page + 1, "next")] : []), to(last, "last")].join(", ");
  const users = await Promise.all(rows.map((row) => userJson(sql, row)));
  return Response.json({ users, aud: "authenticated" }, {
    headers: { "x-total-count": String(count), link },
  });
}

async function deleteUser(sql: postgres.Sql, { id, soft }: { id: string; soft: boolean }): Promise<void> {
  if (!soft) {
    await sql`delete from auth.users where id = ${id}`;
    return;
  }
  await sql.begin(async (transaction) => {
    await transaction`
      update auth.users set deleted_at = now(), updated_at = now(), encrypted_password = '', phone = null,
        email = encode(extensions.digest(email || id::text, 'sha256'), 'hex'),
        raw_user_meta_data = '{}', raw_app_meta_data = '{}'
      where id = ${id}`;
    await transaction`delete from auth.identities where user_id = ${id}`;
    await transaction`delete from auth.sessions where user_id = ${id}`;
  });
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
