/**
 * What went wrong, for a person. In: anything that was thrown, or a job's error. Out: code and message on standard error,
 * wrapped where that is a terminal, and what the message leaves out; never a stack.
 */
import { dim, red } from "@std/fmt/colors";
import { wrap } from "./terminal/table.ts";
import { terminalWidth } from "./terminal/terminal_width.ts";

export function printFailure(failure: unknown): void {
  const { code, message, details } = factsOf(failure);
  const lines = wrapped(code === null ? message : `${code}: ${message}`);
  const issues = details?.["issues"];
  // One issue alone is what the message says already.
  if (Array.isArray(issues) && issues.length > 1) {
    for (const { path, message } of issues.slice(0, 10)) {
      lines.push(`  ${[path, message].filter(Boolean).join(": ")}`);
    }
  }
  for (const line of lines) console.error(red(line));
  if (details?.["request_id"]) console.error(dim(`  request ${details["request_id"]}`));
}

/** Another program that reads standard error gets a message as one line. */
function wrapped(text: string): string[] {
  return Deno.stderr.isTerminal() ? wrap(text, terminalWidth(Deno.stderr) - 1) : [text];
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
