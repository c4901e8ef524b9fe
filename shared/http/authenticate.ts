/**
 * Who calls. In: a request. Out: a person with a client that has that person's rights, or the service that knows the
 * secret key. Anything else is `not_authenticated`. What a person may do is for the database to say.
 */
import { createSupabaseContext, type SupabaseContext } from "@supabase/server";
import { LongshoreError } from "../errors.ts";

export interface UserCaller {
  kind: "user";
  userId: string;
  /** supabase-js with the caller's JWT: row security decides. */
  client: SupabaseContext["supabase"];
}

export interface ServiceCaller {
  kind: "service";
  /** supabase-js with the secret key: no row security. */
  client: SupabaseContext["supabaseAdmin"];
}

export type Caller = UserCaller | ServiceCaller;

export async function authenticate(request: Request): Promise<Caller> {
  // The secret key first: a gateway may have added a JWT of the service role to it.
  const { data: context, error } = await createSupabaseContext(request, { auth: ["secret", "user"] });
  if (error) {
    if (error.status >= 500) throw error;
    throw new LongshoreError(
      "not_authenticated",
      'Cannot tell who calls: expected the JWT of a person in the header "Authorization"',
      { cause: error },
    );
  }
  if (context.authMode === "secret") return { kind: "service", client: context.supabaseAdmin };
  const userId = context.userClaims?.id;
  if (!userId) throw new LongshoreError("not_authenticated", "Cannot tell who calls: found a JWT of nobody");
  return { kind: "user", userId, client: context.supabase };
}

/** Refuses a person where only the service may call. */
export function requireService(caller: Caller): ServiceCaller {
  if (caller.kind === "service") return caller;
  throw new LongshoreError("not_allowed", "Cannot call this function as a person: expected the secret key");
}

/** Refuses the service where only a person may call. */
export function requireUser(caller: Caller): UserCaller {
  if (caller.kind === "user") return caller;
  throw new LongshoreError(
    "not_authenticated",
    "Cannot tell for whom to act: found the secret key, expected a person",
  );
}
