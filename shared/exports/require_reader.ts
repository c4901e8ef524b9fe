/**
 * Refuses a job whose owner may not have the report (any more): every slice asks. Which rows the owner sees is another
 * matter, for row security.
 */
import { LongshoreError } from "../errors.ts";
import type { Slice } from "../jobs/slice.ts";
import type { ResolvedExport } from "./resolve_request.ts";

export async function requireReader(slice: Slice, { report, filters }: ResolvedExport): Promise<void> {
  const [schema, name] = report.authorize.split(".");
  const [row] = await slice.asOwner((transaction) =>
    transaction<{ org_id: string | null }[]>`
      select ${transaction(schema!)}.${transaction(name!)}(${JSON.stringify(filters)}::text::jsonb) as org_id`
  );
  // The organization pays for the job and its admins read its file: an export must not be put to another's account.
  if (row?.org_id && row.org_id === slice.job.org_id) return;
  throw new LongshoreError(
    "not_allowed",
    `Cannot export "${report.name}": you may not read what these filters name`,
  );
}
