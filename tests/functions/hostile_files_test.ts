/**
 * Files that are made to do harm, as whole jobs under the hosted limits: each ends with its error, or with problems of its
 * rows, at the first attempt, and no isolate is ended over it.
 */
import { assert, assertEquals } from "@std/assert";
import { importer } from "../helpers/imports.ts";
import { ownStack } from "../helpers/stack.ts";
import { workbookOf, zipOf } from "../shared/formats/xlsx/_workbook_of.ts";

const stack = await ownStack();

const MB = 1_000_000;
const HEAD = "Tag,Type,Drawing\n";
const CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>Tag</t></is></c></row>';
/** Ten entities, each ten times the one before: a milliard of laughs. */
const LAUGHS = Array.from(
  { length: 10 },
  (_, n) => `<!ENTITY l${n} "${n === 0 ? "lol" : `&l${n - 1};`.repeat(10)}">`,
).join("");

const cells = (row: number, texts: string[]) =>
  `<row r="${row}">${
    texts.map((each, i) => `<c r="${"ABCD"[i]}${row}" t="inlineStr"><is><t>${each}</t></is></c>`).join("")
  }</row>`;
/** Headings and a row. */
const HEADED = cells(1, ["Tag", "Type", "Drawing", "Quantity"]) + cells(2, ["A", "spool", "D-1"]);
const encrypted = await Deno.readFile(new URL("../fixtures/imports/encrypted.xlsx", import.meta.url));

interface Hostile {
  name: string;
  file(): Uint8Array;
  fileName?: string;
  /** The job's error, or the problems' codes of a check that succeeds. */
  ends: string | string[];
}

const HOSTILE: Hostile[] = [
  {
    name: "an archive that unpacks to a thousand times its size",
    file: () => workbookOf({ rows: CELL, strings: `<si><t>${" ".repeat(60 * MB)}</t></si>` }),
    fileName: "bomb.xlsx",
    ends: "unsafe_file",
  },
  {
    name: "an archive that lies about its size",
    file: () => workbookOf({ rows: CELL.repeat(1) }, { claimSize: (size) => size - 10 }),
    fileName: "lies.xlsx",
    ends: "unsafe_file",
  },
  {
    name: "entities that multiply",
    file: () => workbookOf({ sheet: `<!DOCTYPE x [${LAUGHS}]><worksheet><sheetData/>&l9;</worksheet>` }),
    fileName: "laughs.xlsx",
    ends: "unsafe_file",
  },
  {
    name: "entities that multiply in OpenDocument",
    file: () =>
      zipOf({
        "META-INF/manifest.xml": "<manifest/>",
        "content.xml": `<!DOCTYPE x [${LAUGHS}]><office:document-content>&l9;</office:document-content>`,
      }),
    fileName: "laughs.ods",
    ends: "unsafe_file",
  },
  {
    name: "a password",
    file: () => zipOf({ "content.xml": "x", "META-INF/manifest.xml": "<manifest:encryption-data/>" }),
    fileName: "secret.ods",
    ends: "encrypted_file",
  },
  {
    name: "a real workbook with a password",
    file: () => encrypted,
    fileName: "secret.xlsx",
    ends: "encrypted_file",
  },
  {
    name: "an archive within an archive",
    file: () => zipOf({ "inner.zip": workbookOf({ rows: CELL }) }),
    fileName: "nested.xlsx",
    ends: "unsupported_format",
  },
  {
    name: "entries that share their bytes",
    file: () => overlapping(workbookOf({ rows: CELL }, { stored: true })),
    fileName: "overlapping.xlsx",
    ends: "unsafe_file",
  },
  {
    name: "entries with the names of other places",
    file: () =>
      workbookOf({ rows: HEADED, parts: { "../../../etc/passwd": "x", "/etc/passwd": "x", "C:\\a": "x" } }),
    fileName: "paths.xlsx",
    ends: [],
  },
  {
    name: "numbers and dates beyond all limits",
    file: () =>
      workbookOf({
        formats: [14],
        rows:
          `${HEADED}<row r="3"><c r="A3" t="inlineStr"><is><t>C</t></is></c><c r="B3" t="inlineStr"><is><t>spool</t></is></c>` +
          '<c r="C3" t="inlineStr"><is><t>D-1</t></is></c><c r="D3"><v>1e400</v></c></row>' +
          '<row r="4"><c r="A4" s="1"><v>1e300</v></c><c r="B4" t="inlineStr"><is><t>spool</t></is></c>' +
          '<c r="C4" t="inlineStr"><is><t>D-1</t></is></c><c r="D4" s="1"><v>-1</v></c></row>',
      }),
    fileName: "numbers.xlsx",
    ends: ["invalid_number", "rule_violated"],
  },
  {
    name: "letters from right to left, emoji and formulas as text",
    file: () =>
      text(`${HEAD}\u202e=cmd|' /C calc'!A0,spool,D-1\n👩‍👩‍👧 مرحبا,spool,D-1\n"=HYPERLINK(""x"")",spool,D-1\n`),
    ends: [],
  },
  {
    name: "one text of a megabyte in six hundred cells of a row",
    file: () =>
      workbookOf({
        strings: `<si><t>${"x".repeat(MB)}</t></si>`,
        rows: `${HEADED}<row r="3">${'<c t="s"><v>0</v></c>'.repeat(600)}</row>`,
      }),
    fileName: "texts.xlsx",
    ends: ["malformed_row"],
  },
  {
    name: "a million blank rows before the headings",
    file: () =>
      workbookOf({
        rows: Array.from({ length: 1_048_000 }, (_, i) =>
          `<row r="${i + 1}"><c r="A${i + 1}" s="0"/><c r="B${i + 1}" s="0"/><c r="C${i + 1}" s="0"/></row>`)
          .join(""),
      }),
    fileName: "blank.xlsx",
    ends: "empty_file",
  },
  {
    name: "a million blank rows between its rows",
    file: () =>
      workbookOf({
        rows: HEADED + Array.from({ length: 1_048_000 }, (_, i) =>
          `<row r="${i + 3}" hidden="1"><c r="A${i + 3}"><v>1</v></c></row>`).join(""),
      }),
    fileName: "hidden.xlsx",
    ends: [],
  },
  { name: "hundreds of megabytes of blank lines", file: () => filled(300 * MB, "\n"), ends: "empty_file" },
  {
    name: "hundreds of megabytes of lines with empty cells",
    file: () => text(`,,,\n`.repeat(60 * MB)),
    ends: "empty_file",
  },
  {
    name: "halves of characters in cells and in the name of the sheet",
    file: () =>
      workbookOf({
        rows: HEADED.replace("<t>A</t>", "<t>A_xD800_</t>"),
        parts: {
          "xl/workbook.xml":
            '<workbook><sheets><sheet name="&#xD800;&#0;" sheetId="1" r:id="rId1"/></sheets></workbook>',
        },
      }),
    fileName: "halves.xlsx",
    ends: ["invalid_text"],
  },
  {
    name: "a workbook that is cut off",
    file: () => workbookOf({ rows: CELL }).slice(0, -300),
    fileName: "cut.xlsx",
    ends: "unreadable_file",
  },
  {
    name: "a text that calls itself a workbook",
    file: () => text(HEAD),
    fileName: "text.xlsx",
    ends: "unreadable_file",
  },
  {
    name: "an archive that calls itself a text",
    file: () => zipOf({ "a.csv": HEAD }),
    ends: "unsupported_format",
  },
  {
    name: "ten thousand equal headings",
    file: () => text(`${Array(10_000).fill("Tag").join(",")}\n${"1,".repeat(9_999)}1\n`),
    ends: "ambiguous_columns",
  },
  { name: "a first line of 100 MB", file: () => filled(100 * MB, "x"), ends: "unreadable_file" },
  {
    name: "a line of 100 MB",
    file: () => filled(100 * MB, "x", `${HEAD}A,spool,D-1\n`),
    ends: ["malformed_row"],
  },
  {
    name: "a million columns",
    file: () => text(`${HEAD}${"x,".repeat(MB)}\nA,spool,D-1\n`),
    ends: ["malformed_row"],
  },
  {
    name: "a million headings",
    file: () => text(`Tag,Type,Drawing${",x".repeat(MB)}\nA,spool,D-1${",1".repeat(MB)}\n`),
    ends: "unreadable_file",
  },
  {
    name: "NUL bytes in cells",
    file: () => text(`${HEAD}A\0B,spool,D-1\nC,spool,D-1\n`),
    ends: ["invalid_text"],
  },
  { name: "NUL bytes in headings", file: () => text(`${HEAD.trim()},No\0te\nA,spool,D-1,x\n`), ends: [] },
  {
    name: "NUL bytes in other headings",
    file: () => text("T\0g,Type,Line\nA,spool,D-1\n"),
    ends: "missing_columns",
  },
  { name: "nothing but NUL bytes", file: () => filled(MB, "\0"), ends: "missing_columns" },
];

for (const { name, file, fileName = "rows.csv", ends } of HOSTILE) {
  Deno.test(`import survives ${name}`, async () => {
    await using it = await importer(stack);
    const before = stack.functionsControl.exits.length;
    const { job, problems } = await it.check(file(), { name: fileName });
    assertEquals(
      typeof ends === "string" ? job.error?.code : [...new Set(problems.map(({ code }) => code))],
      ends,
    );
    assertEquals([job.state, job.attempt], [typeof ends === "string" ? "failed" : "succeeded", 1]);
    // What is told of a file stays short, whatever the file holds.
    assert(JSON.stringify([job, problems]).length < 20_000);
    const exits = stack.functionsControl.exits.slice(before).map(({ reason }) => reason);
    assert(exits.every((reason) => reason === "early_drop"), `an isolate was ended: ${exits}`);
  });
}

/** Lets every entry start where the first does. */
function overlapping(archive: Uint8Array): Uint8Array {
  const view = new DataView(archive.buffer);
  for (let at = 0; at + 46 < archive.length; at++) {
    if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 42, 0, true);
  }
  return archive;
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function filled(size: number, character: string, before = ""): Uint8Array {
  const head = text(before);
  const bytes = new Uint8Array(head.length + size).fill(character.charCodeAt(0));
  bytes.set(head);
  return bytes;
}
