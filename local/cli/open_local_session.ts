/**
 * Somebody to work as on a local stack. In: the stack. Out: a signed-in client, an organization and a project, those that
 * `DIR/session.json` names, else new ones made through the API as an app would make them, and noted there.
 */
import { join } from "@std/path";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";

export interface LocalSession {
  supabase: SupabaseClient;
  /** What `session.json` holds. */
  person: SessionFile;
}

/** `session.json`: a person of the local stack, for tools and for people who want to look around. */
export interface SessionFile {
  email: string;
  password: string;
  user_id: string;
  org_id: string;
  project_id: string;
}

export interface OpenLocalSessionOptions {
  url: string;
  publishableKey: string;
  dataDir: string;
  /** Makes a new person though there is one. @default false */
  fresh?: boolean;
}

export async function openLocalSession(
  { url, publishableKey, dataDir, fresh = false }: OpenLocalSessionOptions,
): Promise<LocalSession> {
  const path = join(dataDir, "session.json");
  const supabase = createClient(url, publishableKey, { auth: { persistSession: false } });
  const known = fresh ? null : await readSession(path);
  if (known) {
    const { error } = await supabase.auth.signInWithPassword(known);
    if (!error) return { supabase, person: known };
    if (error.code !== "invalid_credentials") throw error;
  }
  const person = await makePerson(supabase);
  await Deno.writeTextFile(path, JSON.stringify(person, null, 2) + "\n", { mode: 0o600 });
  return { supabase, person };
}

async function readSession(path: string): Promise<SessionFile | null> {
  const text = await Deno.readTextFile(path).catch(() => null);
  return text === null ? null : JSON.parse(text);
}

async function makePerson(supabase: SupabaseClient): Promise<SessionFile> {
  const email = `robin-${crypto.randomUUID().slice(0, 8)}@example.test`;
  const password = crypto.randomUUID();
  const { data: { user }, error } = await supabase.auth.signUp({ email, password });
  if (error) throw error;
  if (!user) throw new Error(`Cannot sign up "${email}": found no user in the answer, expected one`);

  const organization = await supabase.rpc("create_organization", { p_name: "Harbour Piping" });
  if (organization.error) throw organization.error;
  const project = await supabase.schema("pipetrak").from("projects")
    .insert({ org_id: organization.data.id, name: "Berth 7 cooling water" })
    .select("id").single();
  if (project.error) throw project.error;
  return { email, password, user_id: user.id, org_id: organization.data.id, project_id: project.data.id };
}
