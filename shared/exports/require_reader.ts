/**
 * Refuses a job whose owner may not have the report (any more), or whose rows were read with other rights than the owner
 * has now: every slice asks. Which rows the owner sees is another matter, for row security. Out: the rights.
 */
import { LongshoreError } from "../errors.ts";
import type { Slice } from "../jobs/slice.ts";
import type { WritingCursor } from "./export_cursor.ts";
import type { ResolvedExport } from "./resolve_request.ts";

export async function requireReader(
  slice: Slice,
  { report, filters }: ResolvedExport,
  start: WritingCursor | null,
): Promise<string | null> {
  const asked = JSON.stringify(filters);
  const row = await slice.asOwner(async (transaction) => {
    const call = (name: string) => transaction`${transaction(name)}(${asked}::text::jsonb)`;
    const [row] = await transaction<{ org_id: string | null; rights: string | null }[]>`
      select ${call(report.authorize)} as org_id, ${
      report.rights ? call(report.rights) : null
    }::text as rights`;
    return row;
  });
  // The organization pays for the job and its admins read its file: an export must not be put to another's account.
  if (!row?.org_id || row.org_id !== slice.job.org_id) {
    throw new LongshoreError(
      "not_allowed",
      `Cannot export "${report.name}": you may not read what these filters name`,
    );
  }
  // Rows that are kept between slices are as the owner could see them when they were read.
  if (start && start.rights !== row.rights) {
    throw new LongshoreError(
      "not_allowed",
      `Cannot go on with the export of "${report.name}": your rights have changed since its rows were read, ask again`,
    );
  }
  return row.rights;
}
