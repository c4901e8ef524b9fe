/** The organization that an export belongs to; refused where the caller may not have it. */
import { LongshoreError } from "../errors.ts";
import type { UserCaller } from "../http/authenticate.ts";
import type { ResolvedExport } from "./resolve_request.ts";

export async function findExportOrganization(
  client: UserCaller["client"],
  { report, filters }: ResolvedExport,
): Promise<string> {
  const [schema, name] = report.authorize.split(".");
  const { data, error } = await client.schema(schema!).rpc(name!, { p_filters: filters });
  if (error) throw error;
  if (typeof data === "string") return data;
  throw new LongshoreError(
    "not_allowed",
    `Cannot export "${report.name}": you may not read what these filters name`,
  );
}
