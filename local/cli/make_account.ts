/** An account in Certus for the local stack's organization: the one it has, else a new one, made as an app would do it. */
import type { SupabaseClient } from "@supabase/supabase-js";

export async function makeAccount(supabase: SupabaseClient, orgId: string): Promise<string> {
  const accounts = supabase.schema("certus").from("accounts");
  const known = await accounts.select("id").eq("org_id", orgId).limit(1);
  if (known.error) throw known.error;
  if (known.data[0]) return known.data[0].id;
  const made = await accounts.insert({ org_id: orgId, name: "Harbour Bistro" }).select("id").single();
  if (made.error) throw made.error;
  return made.data.id;
}
