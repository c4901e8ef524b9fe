/**
 * What is wrong with a field of a request, in the words of the other messages. In: an issue as Zod raises it. Out: what
 * was expected, and what kind of thing was found, never the value itself; undefined where Zod's own words have to do.
 */
import type { z } from "zod";

const EITHER = new Intl.ListFormat("en-GB", { type: "disjunction" });

export function issueMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? `found nothing, expected ${withArticle(issue.expected)}`
        : `found ${kindOf(issue.input)}, expected ${withArticle(issue.expected)}`;
    case "invalid_value":
      return `expected ${EITHER.format(issue.values.map((value) => JSON.stringify(value)))}`;
    case "invalid_format":
      return issue.format === "uuid" ? "expected a UUID" : undefined;
    case "too_small":
      return `expected ${issue.exact ? "exactly" : "at least"} ${amount(issue.minimum, issue.origin)}`;
    case "too_big":
      return `expected ${issue.exact ? "exactly" : "at most"} ${amount(issue.maximum, issue.origin)}`;
    case "unrecognized_keys":
      return `found the unknown field${issue.keys.length > 1 ? "s" : ""} ${
        issue.keys.map((key) => `"${key}"`).join(", ")
      }`;
    default:
      return undefined;
  }
}

const NAMES: Record<string, string> = { int: "whole number", record: "object" };

function withArticle(type: string): string {
  const name = NAMES[type] ?? type;
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return withArticle(Array.isArray(value) ? "array" : typeof value);
}

function amount(count: number | bigint, origin: string): string {
  return origin === "string" ? `${count} character${Number(count) === 1 ? "" : "s"}` : String(count);
}
