/**
 * Fields of a JSON body. In: a request or its parsed body. Out: the field where it has the expected type, undefined
 * where it is missing or null; a wrong type is the caller's mistake and answered with 400.
 */
import { AuthError } from "./error.ts";

export async function readBody(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  if (text === "") return {};
  try {
    const body: unknown = JSON.parse(text);
    if (isRecord(body)) return body;
  } catch {
    // Answered below.
  }
  throw new AuthError(400, { code: "bad_json", message: "Could not parse request body as JSON" });
}

export function textField(body: Record<string, unknown>, name: string): string | undefined {
  return field(body, { name, is: (value) => typeof value === "string" });
}

export function booleanField(body: Record<string, unknown>, name: string): boolean | undefined {
  return field(body, { name, is: (value) => typeof value === "boolean" });
}

export function recordField(
  body: Record<string, unknown>,
  name: string,
): Record<string, unknown> | undefined {
  return field(body, { name, is: isRecord });
}

function field<T>(
  body: Record<string, unknown>,
  expected: { name: string; is(value: unknown): value is T },
): T | undefined {
  const value = body[expected.name];
  if (value === undefined || value === null) return undefined;
  if (expected.is(value)) return value;
  throw new AuthError(400, {
    code: "bad_json",
    message: `Could not parse request body as JSON: "${expected.name}" has the wrong type`,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
