/**
 * Refuses a job whose owner may not import into its scope (any more), before the file is read. Every chunk asks again.
 */
import { LongshoreError } from "../errors.ts";
import type { Slice } from "../jobs/slice.ts";
import type { ResolvedRequest } from "./resolve_request.ts";

export async function requireImporter(slice: Slice, { dataset, scope }: ResolvedRequest): Promise<void> {
  const [schema, name] = dataset.authorize.split(".");
  const [row] = await slice.asOwner((transaction) =>
    transaction<{ org_id: string | null }[]>`
      select ${transaction(schema!)}.${transaction(name!)}(${JSON.stringify(scope)}::text::jsonb) as org_id`
  );
  // The organization pays for the job and its admins read it: a job must not be put to another's account.
  if (row?.org_id === slice.job.org_id) return;
  throw new LongshoreError("not_allowed", "Cannot import: you may not import into this scope", {
    details: { scope },
  });
}
