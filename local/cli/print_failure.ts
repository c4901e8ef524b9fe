/**
 * What went wrong, for a person. In: anything that was thrown, or a job's error. Out: one or two lines on standard error,
 * code and message, never a stack.
 */
import { dim, red } from "@std/fmt/colors";

export function printFailure(failure: unknown): void {
  const { code, message, details } = factsOf(failure);
  console.error(red(code === null ? message : `${code}: ${message}`));
  const issues = details?.["issues"];
  for (const issue of Array.isArray(issues) ? issues.slice(0, 10) : []) {
    console.error(red(`  ${[issue.path, issue.message].filter(Boolean).join(": ")}`));
  }
  if (details?.["request_id"]) console.error(dim(`  request ${details["request_id"]}`));
}

function factsOf(failure: unknown): {
  code: string | null;
  message: string;
  details: Record<string, unknown> | null;
} {
  const { code, message, details } = (failure ?? {}) as Record<string, unknown>;
  return {
    code: typeof code === "string" ? code : null,
    message: typeof message === "string" && message !== "" ? message : String(failure),
    details: typeof details === "object" ? details as Record<string, unknown> | null : null,
  };
}
