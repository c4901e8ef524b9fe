/**
 * People in `auth.users`. In: what a caller wants a person to be. Out: the row, and the user as Auth shows it. It
 * checks e-mail addresses and passwords as Auth does and knows no sessions and no HTTP.
 */
import type postgres from "postgres";
import { AuthError } from "./error.ts";

export interface UserRow {
  id: string;
  aud: string;
  role: string;
  email: string | null;
  phone: string | null;
  email_confirmed_at: Date | null;
  last_sign_in_at: Date | null;
  raw_app_meta_data: Record<string, unknown>;
  raw_user_meta_data: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
  banned_until: Date | null;
  deleted_at: Date | null;
  is_anonymous: boolean;
}

export interface UserChange {
  email?: string;
  password?: string;
  role?: string;
  userMetadata?: Record<string, unknown>;
  appMetadata?: Record<string, unknown>;
  /** A Go duration such as `24h`, or `none`. */
  banDuration?: string;
}

const SHORTEST_PASSWORD = 6;
// bcrypt looks at no more than 72 bytes.
const LONGEST_PASSWORD = 72;
// Auth uses 10; the lowest keeps a test that signs up a hundred people short.
const BCRYPT_COST = 4;

export async function insertUser(sql: postgres.Sql, user: UserChange & { id?: string }): Promise<UserRow> {
  const email = user.email === undefined ? null : checkedEmail(user.email);
  const hash = user.password === undefined ? null : await hashPassword(sql, user.password);
  const provider = email === null ? {} : { provider: "email", providers: ["email"] };
  const id = user.id ?? crypto.randomUUID();
  return await sql.begin(async (transaction) => {
    const [row] = await transaction<UserRow[]>`
      insert into auth.users (
        instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
        raw_user_meta_data, created_at, updated_at, is_anonymous,
        confirmation_token, recovery_token, email_change_token_new, email_change
      ) values (
        '00000000-0000-0000-0000-000000000000', ${id}, 'authenticated', ${
      user.role ?? "authenticated"
    }, ${email},
        ${hash}, ${email === null ? null : transaction`now()`},
        ${json(transaction, { ...provider, ...user.appMetadata })},
        ${
      json(
        transaction,
        email === null ? { ...user.userMetadata } : {
          sub: id,
          email,
          email_verified: true,
          phone_verified: false,
          ...user.userMetadata,
        },
      )
    }, now(), now(), ${email === null},
        '', '', '', ''
      ) returning *`;
    if (email !== null) {
      await transaction`
        insert into auth.identities
          (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
        values (${id}, ${id}, ${
        json(transaction, { sub: id, email, email_verified: true, phone_verified: false })
      }, 'email', now(), now(), now())`;
    }
    return required(row);
  }).catch((error) => {
    throw isUniqueViolation(error)
      ? new AuthError(422, { code: "user_already_exists", message: "User already registered" })
      : error;
  });
}

export async function updateUser(sql: postgres.Sql, { id, change }: { id: string; change: UserChange }) {
  const email = change.email === undefined ? null : checkedEmail(change.email);
  const hash = change.password === undefined ? null : await hashPassword(sql, change.password);
  return await sql.begin(async (transaction) => {
    const [row] = await transaction<UserRow[]>`
      update auth.users set
        email = coalesce(${email}, email),
        email_confirmed_at = ${email === null ? transaction`email_confirmed_at` : transaction`now()`},
        is_anonymous = is_anonymous and ${email === null},
        encrypted_password = coalesce(${hash}, encrypted_password),
        role = coalesce(${change.role ?? null}, role),
        raw_user_meta_data = merged.user_metadata,
        raw_app_meta_data = merged.app_metadata,
        banned_until = ${bannedUntil(transaction, change.banDuration)},
        updated_at = now()
      from (
        select
          ${
      merged(transaction, { column: "raw_user_meta_data", change: change.userMetadata })
    } as user_metadata,
          ${merged(transaction, { column: "raw_app_meta_data", change: change.appMetadata })} as app_metadata
        from auth.users where users.id = ${id}
      ) as merged
      where users.id = ${id} and deleted_at is null
      returning users.*`;
    if (!row) throw userNotFound();
    if (email !== null) {
      await transaction`
        insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
        values (${id}, ${id}, ${
        json(transaction, { sub: id, email, email_verified: true })
      }, 'email', now(), now())
        on conflict (provider_id, provider) do update
          set identity_data = excluded.identity_data, updated_at = now()`;
    }
    return row;
  }).catch((error) => {
    throw isUniqueViolation(error)
      ? new AuthError(422, {
        code: "email_exists",
        message: "A user with this email address has already been registered",
      })
      : error;
  });
}

/** The person with that e-mail address and password, or null; a deleted one is not found. */
export async function findByPassword(sql: postgres.Sql, login: { email: string; password: string }) {
  const [row] = await sql<UserRow[]>`
    select * from auth.users
    where email = ${login.email.toLowerCase()} and deleted_at is null
      and encrypted_password = extensions.crypt(${login.password}, encrypted_password)`;
  return row ?? null;
}

export async function findUser(sql: postgres.ISql, id: string): Promise<UserRow | null> {
  const [row] = await sql<UserRow[]>`select * from auth.users where id = ${id} and deleted_at is null`;
  return row ?? null;
}

export async function userJson(sql: postgres.Sql, user: UserRow): Promise<Record<string, unknown>> {
  const identities = await sql`
    select id as identity_id, provider_id as id, user_id, identity_data, provider, last_sign_in_at, created_at,
      updated_at, email
    from auth.identities where user_id = ${user.id} order by created_at`;
  return {
    id: user.id,
    aud: user.aud,
    role: user.role,
    email: user.email ?? "",
    email_confirmed_at: user.email_confirmed_at ?? undefined,
    phone: user.phone ?? "",
    confirmed_at: user.email_confirmed_at ?? undefined,
    last_sign_in_at: user.last_sign_in_at ?? undefined,
    app_metadata: user.raw_app_meta_data,
    user_metadata: user.raw_user_meta_data,
    identities,
    created_at: user.created_at,
    updated_at: user.updated_at,
    banned_until: user.banned_until ?? undefined,
    is_anonymous: user.is_anonymous,
  };
}

export function userNotFound(): AuthError {
  return new AuthError(404, { code: "user_not_found", message: "User not found" });
}

function checkedEmail(email: string): string {
  if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > 255) {
    throw new AuthError(400, {
      code: "validation_failed",
      message: "Unable to validate email address: invalid format",
    });
  }
  return email.toLowerCase();
}

async function hashPassword(sql: postgres.Sql, password: string): Promise<string> {
  if (password.length < SHORTEST_PASSWORD) {
    throw new AuthError(422, {
      code: "weak_password",
      message: `Password should be at least ${SHORTEST_PASSWORD} characters.`,
    });
  }
  if (new TextEncoder().encode(password).length > LONGEST_PASSWORD) {
    throw new AuthError(422, {
      code: "validation_failed",
      message: `Password cannot be longer than ${LONGEST_PASSWORD} characters`,
    });
  }
  const [row] = await sql<{ hash: string }[]>`
    select extensions.crypt(${password}, extensions.gen_salt('bf', ${BCRYPT_COST}::integer)) as hash`;
  return required(row).hash;
}

function bannedUntil(sql: postgres.TransactionSql, duration: string | undefined) {
  if (duration === undefined) return sql`banned_until`;
  if (duration === "none") return sql`null::timestamptz`;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(duration)) {
    throw new AuthError(400, {
      code: "validation_failed",
      message: `invalid format for ban duration: time: invalid duration "${duration}"`,
    });
  }
  const unit: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  let seconds = 0;
  for (const [, count, name] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    seconds += Number(count) * (unit[name ?? ""] ?? 0);
  }
  return sql`now() + make_interval(secs => ${seconds})`;
}

/** The old metadata with the new fields; one that is set to null goes. */
function merged(
  sql: postgres.TransactionSql,
  part: { column: string; change?: Record<string, unknown> | undefined },
) {
  const change = part.change ?? {};
  const removed = Object.keys(change).filter((name) => change[name] === null);
  return sql`(${sql(part.column)} || ${json(sql, change)}) - ${removed}::text[]`;
}

function json(sql: postgres.TransactionSql, value: Record<string, unknown>) {
  return sql.json(value as postgres.JSONValue);
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "23505";
}

function required<T>(row: T | undefined): T {
  if (row === undefined) {
    throw new Error("Cannot read the answer of the database: found no row, expected one");
  }
  return row;
}
