/** The JSON object in a request's body; an empty body is an empty object. */
import { refused } from "./storage_error.ts";

export async function readJson(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, with everything else that is no object.
  }
  throw refused.invalidRequest("body must be object");
}

/** A text that must be there. */
export function requiredText(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== "string") throw refused.invalidRequest(`body must have required property '${name}'`);
  return value;
}

/** A text that may be missing. */
export function optionalText(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw refused.invalidRequest(`body/${name} must be string`);
  return value;
}

/** A whole number from `min` on that may be missing. */
export function optionalInteger(
  body: Record<string, unknown>,
  name: string,
  options: { min: number },
): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < options.min) {
    throw refused.invalidRequest(`body/${name} must be integer >= ${options.min}`);
  }
  return value;
}
