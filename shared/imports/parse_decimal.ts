/**
 * A number as people write it → canonical digits: `1 234,50` → `1234.5`, `12,5 %` → `0.125`. Exact, since a database's
 * numeric is: the text never passes through a floating-point number. Null where it is no number, `"ambiguous"` where a
 * comma or a point could be either separator and nobody said which.
 */
export type DecimalMark = "." | ",";

/** Characters that a number may have; beyond it the patterns below would take their time. */
const LONGEST = 1000;

export function parseDecimal(text: string, mark?: DecimalMark): string | "ambiguous" | null {
  if (text.length > LONGEST) return null;
  // What a spreadsheet shows as `12.5%` is 0.125 in its file.
  if (text.endsWith("%") && text.indexOf("%") === text.length - 1) {
    const value = parseDecimal(text.slice(0, -1).trimEnd(), mark);
    return value === null || value === "ambiguous" ? value : canonical(`${value}e-2`);
  }
  // The everyday cases first: what is canonical already, then plain digits.
  if (CANONICAL.test(text) && (mark !== "," || !text.includes(".")) && text !== "-0") return text;
  if (PLAIN.test(text)) {
    return mark === "," && GROUPED_BY_POINT.test(text) ? text.replace(".", "") : canonical(text);
  }
  const compact = text.replace(SPACES, "");
  if (!SHAPE.test(compact)) return null;
  const points = count(compact, ".");
  const commas = count(compact, ",");

  let decimal: DecimalMark;
  if (mark !== undefined) decimal = mark;
  else if (points > 0 && commas > 0) {
    decimal = compact.lastIndexOf(",") > compact.lastIndexOf(".") ? "," : ".";
  } else if (commas > 1 || points > 1) decimal = commas > 1 ? "." : ",";
  else if (commas === 1) {
    if (/,\d{3}$/.test(compact) && !/^[-+]?0?,/.test(compact)) return "ambiguous";
    decimal = ",";
  } else decimal = ".";

  const group = decimal === "." ? "," : ".";
  const [whole = "", ...fractions] = compact.split(decimal);
  if (fractions.length > 1 || (fractions[0] ?? "").includes(group)) return null;
  if (whole.includes(group) && !/^[-+]?\d{1,3}([.,]\d{3})+$/.test(whole)) return null;
  return canonical(whole.replaceAll(group, "") + (fractions.length ? `.${fractions[0]}` : ""));
}

const CANONICAL = /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/;
const PLAIN = /^[-+]?(\d+\.?\d*|\.\d+)$/;
const GROUPED_BY_POINT = /^[-+]?\d{1,3}\.\d{3}$/;
const SPACES = /[\s\u00a0\u202f'’]/g;
const SHAPE = /^[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d{1,3})?$/i;

function canonical(digits: string): string | null {
  const match = /^([-+]?)(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(digits);
  if (!match) return null;
  const [, sign, whole = "", fraction = "", exponent] = match;
  let left = whole;
  let right = fraction;
  const shift = Number(exponent ?? 0);
  if (Math.abs(shift) > 300) return null;
  if (shift > 0) {
    right = right.padEnd(shift, "0");
    left += right.slice(0, shift);
    right = right.slice(shift);
  } else if (shift < 0) {
    left = left.padStart(-shift, "0");
    right = left.slice(left.length + shift) + right;
    left = left.slice(0, left.length + shift);
  }
  left = left.replace(/^0+(?=\d)/, "") || "0";
  right = right.replace(/0+$/, "");
  const value = right ? `${left}.${right}` : left;
  return sign === "-" && value !== "0" ? `-${value}` : value;
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}
