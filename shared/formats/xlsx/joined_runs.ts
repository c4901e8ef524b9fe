/**
 * The text in the markup of a shared or inline string: the texts of its runs in order, without phonetic runs.
 * Whatever prefix the elements have, all have the same.
 */

import { decodeXmlText, plainXml } from "./decode_xml_text.ts";

export function joinedRuns(markup: string): string {
  markup = plainXml(markup);
  const prefix = /<([^\s<>:\/!?]{1,60}:)?[^\s<>:\/!?]/.exec(markup)?.[1] ?? "";
  const textCloser = `</${prefix}t>`;
  const phoneticCloser = `</${prefix}rPh>`;
  let text = "";
  let at = 0;
  while (true) {
    const open = markup.indexOf("<", at);
    const close = open < 0 ? -1 : markup.indexOf(">", open);
    if (close < 0) return text;
    at = close + 1;
    if (markup.charAt(close - 1) === "/") continue;
    if (startsTag(markup, { open, name: `${prefix}rPh` })) {
      const end = markup.indexOf(phoneticCloser, at);
      if (end < 0) return text;
      at = end + phoneticCloser.length;
    } else if (startsTag(markup, { open, name: `${prefix}t` })) {
      const end = markup.indexOf(textCloser, at);
      if (end < 0) return text;
      text += decodeXmlText(markup.slice(at, end));
      at = end + textCloser.length;
    }
  }
}

function startsTag(markup: string, { open, name }: { open: number; name: string }): boolean {
  const after = markup.charCodeAt(open + 1 + name.length);
  return markup.startsWith(name, open + 1) && (after === 0x3e || after <= 0x20);
}
