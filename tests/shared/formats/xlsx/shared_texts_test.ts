import { assertEquals, assertRejects } from "@std/assert";
import { LongshoreError } from "../../../../shared/errors.ts";
import { seededRandom } from "../../../helpers/random.ts";
import { readAll } from "./_read_all.ts";
import { workbookOf } from "./_workbook_of.ts";

/** Shared strings in the form of nearly all programs are read another way than all others; both must see the same. */
const RICH_ITEM = "<si><r><t>rich</t></r></si>";

async function readTexts(items: string[], further = ""): Promise<unknown[]> {
  const rows = items.map((_, i) =>
    `<row r="${i + 1}"><c r="A${i + 1}" t="s"><v>${i}</v></c><c r="B${i + 1}"><v>1</v></c></row>`
  );
  const book = workbookOf({ rows: rows.join(""), strings: items.join("") + further });
  return (await readAll(book)).rows.map(([cell]) => cell);
}

Deno.test("openXlsx() reads usual shared strings like unusual ones", async () => {
  const random = seededRandom(20_261_121);
  const pieces = [
    "a",
    "Rohr ",
    "Ü",
    "日本",
    "😀",
    " ",
    "_",
    "_x",
    "x",
    "_x000D_",
    "_x0041_",
    "_x005F_x0041_",
    "&amp;",
    "&lt;",
  ];
  pieces.push("&#x1F600;", "&#65;", "&nbsp;", "\r\n", "\n", "\t", "\ufeff", "!", ">", '"', "\u0080");
  for (let round = 0; round < 50; round++) {
    const items = Array.from({ length: 40 }, () => {
      const text = Array.from({ length: random.int(0, 6) }, () => random.pick(pieces)).join("");
      return `<si><t${random.chance(0.2) ? ' xml:space="preserve"' : ""}>${text}</t></si>${
        random.chance(0.1) ? "\n" : ""
      }`;
    });
    assertEquals(await readTexts(items), await readTexts(items, RICH_ITEM));
  }
});

Deno.test("openXlsx() reads usual shared strings with halves of characters and empty elements", async () => {
  const items = [
    "<si><t>_xD83D_</t></si>",
    "<si><t/></si>",
    "<si></si>",
    "<si><t>x</t><phoneticPr/></si>",
    "<si><t>ü</t></si>",
  ];
  assertEquals(await readTexts(items), ["\ud83d", "", "", "x", "ü"]);
});

Deno.test("openXlsx() refuses shared strings that share the bytes of a character", async () => {
  const ascii = (text: string) => [...new TextEncoder().encode(text)];
  const item = (byte: number) => [...ascii("<si><t>"), byte, ...ascii("</t></si>")];
  const strings = new Uint8Array([...ascii("<sst>"), ...item(0xc3), ...item(0xa9), ...ascii("</sst>")]);
  const book = workbookOf({
    rows: '<row r="1"><c r="A1" t="s"><v>0</v></c></row>',
    strings: "",
    parts: { "xl/sharedStrings.xml": strings },
  });
  const error = await assertRejects(() => readAll(book), LongshoreError);
  assertEquals(error.code, "unreadable_file");
});
