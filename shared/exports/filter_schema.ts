/**
 * The filters of a report as one Zod schema: the validator of a request, and what the published JSON Schema is made of.
 * A range that runs backwards is refused at its end.
 */
import { z } from "zod";
import type { Filter, Report } from "./report.ts";

/** Values that one filter may be given at most. */
const MOST_VALUES = 1000;

export type FilterValues = Record<string, string | number | boolean | string[]>;

export function filterSchema(report: Report): z.ZodType<FilterValues> {
  const fields = Object.fromEntries(report.filters.flatMap(fieldsOf));
  return z.strictObject(fields).superRefine((values, context) => {
    for (const { name, kind } of report.filters) {
      if (kind !== "dates" && kind !== "numbers") continue;
      const from = values[`${name}_from`] as string | number | undefined;
      const to = values[`${name}_to`] as string | number | undefined;
      if (from === undefined || to === undefined || from <= to) continue;
      context.addIssue({
        code: "custom",
        path: [`${name}_to`],
        message: `expected nothing before "${name}_from"`,
      });
    }
  }) as unknown as z.ZodType<FilterValues>;
}

/** What a client needs to know to fill a form. */
export function filterJsonSchema(report: Report): Record<string, unknown> {
  return z.toJSONSchema(filterSchema(report), { io: "input" }) as Record<string, unknown>;
}

function fieldsOf(filter: Filter): [string, z.ZodType][] {
  const { name, title } = filter;
  if (filter.kind === "dates") {
    return [
      [`${name}_from`, optional(filter, day()).describe(`${title}, from`)],
      [`${name}_to`, optional(filter, day()).describe(`${title}, to`)],
    ];
  }
  if (filter.kind === "numbers") {
    return [
      [`${name}_from`, optional(filter, z.number()).describe(`${title}, from`)],
      [`${name}_to`, optional(filter, z.number()).describe(`${title}, to`)],
    ];
  }
  return [[name, optional(filter, fieldOf(filter)).describe(title)]];
}

function fieldOf(filter: Exclude<Filter, { kind: "dates" | "numbers" }>): z.ZodType {
  switch (filter.kind) {
    case "id":
      return z.uuid();
    case "boolean":
      return z.boolean();
    case "text":
      return oneOrMore(z.string().min(1).max(1000));
    case "choice":
      return filter.single ? z.enum(filter.values) : oneOrMore(z.enum(filter.values));
    case "bucket":
      return oneOrMore(z.enum(Object.keys(filter.buckets)));
  }
}

/** The database's calendar has no year 0. */
function day(): z.ZodType {
  return z.iso.date().refine((text) => text >= "0001-01-01", "expected a day from 0001-01-01 on");
}

function oneOrMore(value: z.ZodType): z.ZodType {
  return z.union([value, z.array(value).min(1).max(MOST_VALUES)]);
}

function optional({ required }: Filter, field: z.ZodType): z.ZodType {
  return required ? field : field.optional();
}

/** What a request may call filters: a range has two names. */
export function filterNames(report: Report): string[] {
  return report.filters.flatMap((filter) => fieldsOf(filter).map(([name]) => name));
}
