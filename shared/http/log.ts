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
  const fields: LogFields = { error: error instanceof Error ? error.name : typeof error };
  // What supabase-js hands on from PostgREST is no Error, and only its code says what was refused.
  const code: unknown = typeof error === "object" && error !== null && Reflect.get(error, "code");
  if (typeof code === "string" && /^\w{1,60}$/.test(code)) fields.code = code;
  if (!(error instanceof Error)) return fields;
  fields.at = placeOf(error);
  if (error instanceof SetupError) fields.message = error.message;
  if (error instanceof postgres.PostgresError) {
    fields.constraint = error.constraint_name;
    fields.routine = error.routine;
  }
  return fields;
}

/** Libraries, the runtime, and what every query passes through. */
const NOT_THE_PLACE = /ext:|node:|\/npm\/|node_modules|<anonymous>|\/jobs\/open_\w+\.ts/;

/** A frame: where a piece of code is, in one of the places that code can come from. */
const FRAME = /^ {4}at (?:[\w.<>#$ [\]]+ \()?(?:file|https?|ext|node|npm|data):\S*:\d+:\d+\)?$/;

/** Where in this code it happened: the first line of the stack that is neither a library's nor the runtime's. */
function placeOf({ stack = "" }: Error): string | undefined {
  // A stack begins with the message, which may have lines of its own.
  const lines = stack.split("\n").filter((line) => FRAME.test(line)).map((line) => line.trim());
  return lines.find((line) => !NOT_THE_PLACE.test(line)) ?? lines[0];
}
