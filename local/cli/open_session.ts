/**
 * Who a command works as, and where. In: the target that the command line names. Out: a signed-in client; on the local
 * stack with the organization and the project that are there to be used.
 */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { fromStatus, LongshoreClientError } from "../../shared/client/client_error.ts";
import { openLocalSession } from "./open_local_session.ts";
import type { Target } from "./read_target.ts";
import { useLocalStack } from "./use_local_stack.ts";

export interface Session {
  supabase: SupabaseClient;
  orgId: string | null;
  projectId: string | null;
  /** Ends what was started for this command. */
  end(): Promise<void>;
}

export async function openSession(
  target: Target,
  { onStart }: { onStart?(dataDir: string): void } = {},
): Promise<Session> {
  if (target.kind === "remote") {
    await reach(target);
    const supabase = await signIn(target);
    return { supabase, orgId: null, projectId: null, end: () => Promise.resolve() };
  }
  const stack = await useLocalStack(target.dataDir, onStart ? { onStart } : {});
  try {
    const { supabase, person } = await openLocalSession(stack);
    return { supabase, orgId: person.org_id, projectId: person.project_id, end: stack.stop };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Asked once, since the calls of an import try for half a minute before they give up. */
async function reach({ url, key }: Extract<Target, { kind: "remote" }>): Promise<void> {
  const health = `${url.replace(/\/+$/, "")}/auth/v1/health`;
  const signal = AbortSignal.timeout(10_000);
  try {
    const answer = await fetch(health, { headers: { apikey: key }, signal });
    await answer.body?.cancel();
  } catch (cause) {
    throw new LongshoreClientError(
      "unreachable",
      `Cannot reach "${url}": found no answer, expected the address of a project that is running`,
      { cause },
    );
  }
}

async function signIn({ url, key, login }: Extract<Target, { kind: "remote" }>): Promise<SupabaseClient> {
  if ("token" in login) {
    return createClient(url, key, { accessToken: () => Promise.resolve(login.token) });
  }
  const supabase = createClient(url, key, { auth: { persistSession: false } });
  const { error } = await supabase.auth.signInWithPassword(login);
  if (error) {
    throw fromStatus(error.status === 400 ? 401 : error.status ?? 0, { task: "sign in", cause: error });
  }
  return supabase;
}
