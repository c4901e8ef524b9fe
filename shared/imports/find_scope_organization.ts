/** The organization that an import into a scope belongs to; refused where the caller may not import there. */
import { LongshoreError } from "../errors.ts";
import type { UserCaller } from "../http/authenticate.ts";
import type { ResolvedRequest } from "./resolve_request.ts";

export async function findScopeOrganization(
  client: UserCaller["client"],
  { dataset, scope }: ResolvedRequest,
): Promise<string> {
  const [schema, name] = dataset.authorize.split(".");
  const { data, error } = await client.schema(schema!).rpc(name!, { p_scope: scope });
  if (error) throw error;
  if (typeof data === "string") return data;
  throw new LongshoreError("not_allowed", "Cannot import: you may not import into this scope", {
    details: { scope },
  });
}
