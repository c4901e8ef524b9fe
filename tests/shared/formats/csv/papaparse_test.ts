import { assertEquals } from "@std/assert";
import Papa from "papaparse";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { encode, readAll, seededRandom } from "./_read_all.ts";

/** What the test needs of Papa Parse, which brings no types. */
type Parse = (text: string, config: { delimiter: string; newline: string }) => { data: string[][] };
const parse = (Papa as unknown as { parse: Parse }).parse;

const PARTS = [
  "",
  "a",
  "7",
  " ",
  '"',
  '""',
  ",",
  ";",
  "\n",
  "\r\n",
  "é",
  "漢",
  "😀",
  '4" valve',
  "some text",
];

Deno.test("openCsv() agrees with Papa Parse on well-formed files", async () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = seededRandom(seed);
    const newline = ["\n", "\r\n", "\r"][random(3)]!;
    const delimiter = [",", ";", "\t", "|"][random(4)]!;
    const records = Array.from({ length: random(30) }, () =>
      Array.from({ length: 1 + random(5) }, () => {
        const cell = Array.from({ length: random(4) }, () => PARTS[random(PARTS.length)]).join("");
        const needsQuotes = /^"|[\r\n,;\t|]/.test(cell);
        return needsQuotes || random(4) === 0 ? `"${cell.replaceAll('"', '""')}"` : cell;
      }).join(delimiter));
    const text = records.join(newline) + (random(2) === 0 ? newline : "");

    const expected = parse(text, { delimiter, newline }).data
      .map((cells, index) => ({ cells: cells.map((cell) => cell === "" ? null : cell), number: index + 1 }))
      .filter(({ cells }) => cells.some((cell) => cell !== null));
    const rows = await readAll(bytesSource(encode(text, "utf-8")), {
      delimiter,
      blockBytes: 1 + random(200),
    });
    assertEquals(
      rows.map(({ cells, number }) => ({ cells, number })),
      expected,
      `seed ${seed}: ${JSON.stringify(text)}`,
    );
    assertEquals(rows.filter(({ flaw }) => flaw !== null), [], `seed ${seed}`);
  }
});
