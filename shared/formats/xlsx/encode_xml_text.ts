/**
 * A text as XML content or attribute. Characters that XML cannot hold, and line ends that it would change, become
 * the workbook's own `_xHHHH_` escapes; a text that looks like such an escape is escaped itself.
 */

export function encodeXmlText(text: string): string {
  return NEEDS_CARE.test(text) ? text.replace(ESCAPED, escaped) : text;
}

// deno-lint-ignore no-control-regex -- control characters are what it looks for
const ESCAPED = /[&<>"]|_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]|\p{Surrogate}/gu;
const NEEDS_CARE = new RegExp(ESCAPED.source, "u");
const ENTITIES = new Map([["&", "&amp;"], ["<", "&lt;"], [">", "&gt;"], ['"', "&quot;"]]);

function escaped(char: string): string {
  return ENTITIES.get(char) ?? `_x${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`;
}
