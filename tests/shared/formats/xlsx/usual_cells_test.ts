import { assertEquals } from "@std/assert";
import { readAll } from "./_read_all.ts";
import { workbookOf } from "./_workbook_of.ts";

/** Cells in the form of nearly all programs are read in one go; with one blank more, tag by tag. */
const CELLS = [
  '<c r="A1"><v>1.5</v></c><c r="B1" s="1"><v>46022</v></c><c r="C1" s="11"><v>1.5</v></c>',
  '<c r="A1" t="s"><v>1</v></c><c r="B1" s="11" t="s"><v>0</v></c><c r="C1" t="str"><v>x</v></c>',
  '<c r="Z1"><v>26</v></c><c r="AA1"><v>27</v></c><c r="XFD1"><v>16384</v></c>',
  '<c r="A1"><v></v></c><c r="B1"/><c r="C1"></c><c r="D1"><v>-1.1000000000000001E-2</v></c>',
  '<c r="A1"><v>soon</v></c><c r="B1" t="b"><v>1</v></c><c r="C1" t="e"><v>#REF!</v></c>',
  '<c r="C1"><f>A1+1</f><v>3</v></c><c r="D1" t="inlineStr"><is><t>in</t></is></c><c r="E1"><v>5</v></c>',
  `<c r="A1"><v>${" ".repeat(300_000)}7</v></c><c r="B1" t="s"><v>1</v></c>`,
  '<c r="A1" t="inlineStr"><is><t>a &amp; b</t></is></c><c r="B1" s="1" t="inlineStr"><is><t></t></is></c>',
  '<c r="A1" t="inlineStr"><is><t>Ü_x0041_</t></is></c><c r="B1" t="inlineStr"><is><t>a</t><t>b</t></is></c>',
  '<c r="A1" t="inlineStr"><is><r><t>rich</t></r></is></c><c r="B1" t="inlineStr"><is><t> c</t></is></c>',
  '<c t="s" r="A1"><v>1</v></c><c r="B1" t="s" s="1"><v>1</v></c><c r="C1" s=""><v>1</v></c>',
];
const BOOK = {
  strings: "<si><t>zero</t></si><si><t>one</t></si>",
  formats: ["yyyy-mm-dd", "0", "0", "0", "0", "0", "0", "0", "0", "0", "[h]:mm:ss"],
};

for (const cells of CELLS) {
  Deno.test(`openXlsx() reads ${cells.slice(0, 60)} whichever way it takes`, async () => {
    const rows = `<row r="1">${cells}</row>`;
    const usual = await readAll(workbookOf({ ...BOOK, rows }));
    const unusual = await readAll(workbookOf({ ...BOOK, rows: rows.replaceAll("<c ", "<c  ") }));
    assertEquals(usual, unusual);
    assertEquals(usual.rows[0]!.length > 0, true);
  });
}
