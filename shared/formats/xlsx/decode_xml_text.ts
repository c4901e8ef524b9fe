/**
 * The text that a piece of XML content stands for: entities, CDATA, comments, line ends, and the workbook's own
 * `_xHHHH_` escapes for characters that XML cannot hold. Unknown entities stay as they are.
 */

const NAMED = new Map([["amp", "&"], ["lt", "<"], ["gt", ">"], ["quot", '"'], ["apos", "'"]]);

/** For the texts of cells and shared strings. */
export function decodeXmlText(raw: string): string {
  const text = decodeXml(raw);
  return text.includes("_x")
    ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex) => unicode(parseInt(hex, 16)))
    : text;
}

/** The same XML without comments and instructions, and with CDATA as the text that it stands for. */
export function plainXml(xml: string): string {
  if (!xml.includes("<!") && !xml.includes("<?")) return xml;
  const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  return xml.replace(
    /<!--[^]*?(?:-->|$)|<\?[^]*?(?:\?>|$)|<!\[CDATA\[([^]*?)(?:\]\]>|$)/g,
    (_, text: string = "") => text.replace(/[&<>]/g, (char) => ESCAPES[char]!),
  );
}

/** For attributes, which have no `_xHHHH_` escapes. */
export function decodeXml(raw: string): string {
  if (raw.includes("<")) return decodeSections(raw);
  const text = raw.includes("\r") ? raw.replace(/\r\n?/g, "\n") : raw;
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#[xX]([0-9A-Fa-f]{1,8})|#([0-9]{1,8})|([a-z]+));/g,
    (entity, hex, decimal, name) => {
      if (name !== undefined) return NAMED.get(name) ?? entity;
      const code = hex !== undefined ? parseInt(hex, 16) : parseInt(decimal, 10);
      return code <= 0x10ffff ? unicode(code) : entity;
    },
  );
}

/** CDATA is taken as it stands; comments, processing instructions and what is left open are dropped. */
function decodeSections(raw: string): string {
  let text = "";
  let at = 0;
  while (true) {
    const open = raw.indexOf("<", at);
    if (open < 0) return text + decodeXml(raw.slice(at));
    text += decodeXml(raw.slice(at, open));
    const isCdata = raw.startsWith("<![CDATA[", open);
    const closer = isCdata ? "]]>" : raw.startsWith("<!--", open) ? "-->" : ">";
    const close = raw.indexOf(closer, open);
    if (close < 0) return text;
    if (isCdata) text += raw.slice(open + "<![CDATA[".length, close);
    at = close + closer.length;
  }
}

function unicode(code: number): string {
  return String.fromCodePoint(code);
}
