/**
 * The log: one JSON object a line on the console. In: what happened, and facts about it. It takes no texts of errors and
 * no values of people's data: what is logged can be read by more people than the data can.
 */
import postgres from "postgres";
import { SetupError } from "../errors.ts";

export type LogLevel = "info" | "warning" | "error";

/** Facts by name, such as `function`, `request_id`, `job_id`, `org_id`, `duration_ms` and counts. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

export function logEvent(level: LogLevel, event: string, fields: LogFields = {}): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...fields });
  if (level === "error") console.error(line);
  else console.log(line);
}

/**
 * What may be told of an error: its kind and where it came from. Its message can quote data and is left out, unless it is
 * about the set-up.
 */
export function safeErrorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const frames = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  const fields: LogFields = {
    error: error.name,
    at: frames.slice(0, 4).map((line) => line.trim()).join("; "),
  };
  if ("code" in error && typeof error.code === "string") fields.code = error.code;
  if (error instanceof SetupError) fields.message = error.message;
  if (error instanceof postgres.PostgresError) {
    fields.constraint = error.constraint_name;
    fields.routine = error.routine;
  }
  return fields;
}
