/**
 * A Certus account of one person's organization, through the API as an app makes it. In: a client of the organization's
 * owner. Out: its id and those of its locations, SOHO and MAYFAIR; verbs that bring colleagues in.
 */
import type { SupabaseClient } from "@supabase/supabase-js";
import { type Person, signUp } from "./people.ts";
import type { TestStack } from "./stack.ts";

export interface Restaurants {
  accountId: string;
  /** By code. */
  locationIds: Record<"SOHO" | "MAYFAIR", string>;
  /** Somebody new who operates some of the locations. */
  addOperator(stack: TestStack, codes: ("SOHO" | "MAYFAIR")[]): Promise<Person>;
}

export async function makeRestaurants(client: SupabaseClient, orgId: string): Promise<Restaurants> {
  const certus = client.schema("certus");
  const account = await certus.from("accounts").insert({ org_id: orgId, name: "Bistro" }).select("id")
    .single()
    .throwOnError();
  const accountId: string = account.data.id;
  const { data } = await certus.from("locations").insert([
    { account_id: accountId, code: "SOHO", name: "Soho", avg_spend_per_head: 30 },
    { account_id: accountId, code: "MAYFAIR", name: "Mayfair", avg_spend_per_head: 50 },
  ]).select("id, code").throwOnError();
  const locationIds = Object.fromEntries(
    data.map(({ code, id }) => [code, id]),
  ) as Restaurants["locationIds"];

  return {
    accountId,
    locationIds,
    async addOperator(stack, codes) {
      const operator = await signUp(stack, "operator");
      await client.rpc("add_member", { p_org_id: orgId, p_email: operator.email, p_role: "member" })
        .throwOnError();
      const member = { account_id: accountId, user_id: operator.userId };
      await certus.from("account_members").insert({ ...member, role: "operator" }).throwOnError();
      await certus.from("member_locations")
        .insert(codes.map((code) => ({ ...member, location_id: locationIds[code] }))).throwOnError();
      return operator;
    },
  };
}
