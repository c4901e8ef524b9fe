/** Rows as they would be written, with the values of sensitive columns masked: a job may be read by the organization's admins. */
import type { Dataset } from "./dataset.ts";

export function maskPreview(dataset: Dataset, rows: Record<string, unknown>[]): Record<string, unknown>[] {
  const sensitive = dataset.columns.filter((column) => column.sensitive).map((column) =>
    column.target ?? column.name
  );
  return rows.map((row) => {
    const masked = { ...row };
    for (const name of sensitive) {
      if (masked[name] !== null && masked[name] !== undefined) masked[name] = "•••";
    }
    return masked;
  });
}
