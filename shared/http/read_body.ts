/**
 * The JSON body of a request, as a schema wants it. In: a request and a Zod schema. Out: the parsed value; anything else
 * is `invalid_request` with the path of each issue. Found values are not repeated in the issues.
 */
import type { z } from "zod";
import { LongshoreError } from "../errors.ts";
import { issueMessage } from "./issue_message.ts";
import { readBytes } from "./read_bytes.ts";

/** Of a body of JSON. The largest one that makes sense maps the headings of a wide file. */
const JSON_BYTES = 1_000_000;

export async function readBody<T extends z.ZodType>(request: Request, schema: T): Promise<z.output<T>> {
  return parseInput(await readJson(request) ?? {}, schema);
}

/** The JSON of a body; undefined where there is none. */
export async function readJson(request: Request): Promise<unknown> {
  const bytes = await readBytes(request, { atMost: JSON_BYTES });
  if (!bytes) throw refused("", `found more than ${JSON_BYTES / 1e6} MB, expected less`);
  const text = new TextDecoder().decode(bytes);
  return text.trim() === "" ? undefined : parseJson(text);
}

/** The same for a value that came another way, such as a field of a form. */
export function parseInput<T extends z.ZodType>(value: unknown, schema: T): z.output<T> {
  const parsed = schema.safeParse(value, { error: issueMessage });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(likeliest).map(({ path, message }) => ({
    path: path.map(String).join("."),
    message,
  }));
  const first = issues[0];
  const where = first?.path ? ` at "${first.path}"` : "";
  throw new LongshoreError(
    "invalid_request",
    `Cannot read the request${where}: ${first?.message ?? "unknown"}`,
    {
      details: { issues },
    },
  );
}

/** Of a value that may have several forms, what is wrong with it in the form that it has. */
function likeliest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const forms = issue.errors;
  const [inner] = forms.find((form) => form[0]!.path.length > 0) ??
    forms.find((form) => form[0]!.code !== "invalid_type") ?? forms[0] ?? [];
  return inner ? { ...inner, path: [...issue.path, ...inner.path] } : issue;
}

export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused("", "expected JSON", cause);
  }
  refuseUnstorable(value);
  return value;
}

/** The database holds no NUL and no half of a surrogate pair. A list instead of recursion: bodies may nest deeply. */
function refuseUnstorable(value: unknown): void {
  const waiting = [{ path: "", value }];
  for (let each = waiting.pop(); each; each = waiting.pop()) {
    const { path, value } = each;
    if (typeof value === "string" && !isStorable(value)) {
      throw refused(path, "found a NUL or half a character, expected text");
    }
    if (typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (!isStorable(key)) throw refused(path, "found a NUL or half a character in a name, expected text");
      waiting.push({ path: path === "" ? key : `${path}.${key}`, value: inner });
    }
  }
}

function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function refused(path: string, message: string, cause?: unknown): LongshoreError {
  const where = path === "" ? "" : ` at "${path}"`;
  return new LongshoreError("invalid_request", `Cannot read the request${where}: ${message}`, {
    cause,
    details: { issues: [{ path, message }] },
  });
}
