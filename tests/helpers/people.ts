/**
 * The personas of the tests, as real clients. In: the stack. Out: supabase-js clients that are signed up, anonymous or
 * the service. Every call makes somebody new.
 */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { TestStack } from "./stack.ts";

type Project = Pick<TestStack, "url" | "publishableKey" | "secretKey">;

export interface Person {
  client: SupabaseClient;
  userId: string;
  email: string;
  password: string;
  accessToken: string;
}

// A client that refreshes its token by a timer would outlive its test.
const OPTIONS = { auth: { persistSession: false, autoRefreshToken: false } };

/** Somebody with an account; `name` only makes the e-mail address speak. */
export async function signUp(stack: Project, name = "person"): Promise<Person> {
  const email = `${name}-${crypto.randomUUID()}@example.test`;
  const password = crypto.randomUUID();
  const { data, error } = await anonymous(stack).auth.signUp({ email, password });
  if (error) throw error;
  if (!data.user || !data.session) {
    throw new Error(`Cannot sign up "${email}": found no session, expected one`);
  }
  const accessToken = data.session.access_token;
  // With a token of its own the client sends it everywhere, Realtime included, and keeps it after a reconnect.
  const client = createClient(stack.url, stack.publishableKey, {
    ...OPTIONS,
    accessToken: () => Promise.resolve(accessToken),
  });
  return { client, userId: data.user.id, email, password, accessToken };
}

/** Nobody: only the publishable key. */
export function anonymous(stack: Project): SupabaseClient {
  return createClient(stack.url, stack.publishableKey, OPTIONS);
}

/** The service: the secret key. */
export function service(stack: Project): SupabaseClient {
  return createClient(stack.url, stack.secretKey, OPTIONS);
}
