import { assert, assertEquals, assertRejects } from "@std/assert";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { openCsv } from "../../../../shared/formats/csv/mod.ts";
import { LongshoreError } from "../../../../shared/errors.ts";
import type { Cell, RowFlaw } from "../../../../shared/formats/reader.ts";
import { encode, endlessSource, readAll, textSource } from "./_read_all.ts";

/** Input, and the rows expected of it. */
const CELLS: Array<[name: string, text: string, rows: Cell[][]]> = [
  ["no text", "", []],
  ["line ends only", "\n\r\n\r\n", []],
  ["one cell", "a", [["a"]]],
  ["LF", "a,b\n1,2\n", [["a", "b"], ["1", "2"]]],
  ["CRLF", "a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]],
  ["CR", "a,b\r1,2\r", [["a", "b"], ["1", "2"]]],
  ["mixed line ends", "a,b\r\n1,2\r3,4\n5,6", [["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]]],
  ["no last line end", "a,b\n1,2", [["a", "b"], ["1", "2"]]],
  ["ragged rows", "a,b,c\n1\n1,2,3,4\n", [["a", "b", "c"], ["1"], ["1", "2", "3", "4"]]],
  ["empty cells", 'a,b,c\n,"",3\n1,,\n', [["a", "b", "c"], [null, null, "3"], ["1", null, null]]],
  ["rows of empty cells", 'a,b\n,\n"",\n1,2\n', [["a", "b"], ["1", "2"]]],
  ["spaces kept", "a,b\n 1 , 2\n", [["a", "b"], [" 1 ", " 2"]]],
  ["quoted cells", '"a","b"\n"1","2"\n', [["a", "b"], ["1", "2"]]],
  ["quoted delimiters", 'a,b\n"1,5",2\n', [["a", "b"], ["1,5", "2"]]],
  ["doubled quotes", 'a,b\n"say ""x""",""""\n', [["a", "b"], ['say "x"', '"']]],
  ["quoted line ends", 'a,b\r\n"1\n2\r\n3\r4",5\r\n', [["a", "b"], ["1\n2\r\n3\r4", "5"]]],
  ["quotes around a line end", 'x,y,z\na,"b""\n""c",d\n', [["x", "y", "z"], ["a", 'b"\n"c', "d"]]],
  ["a quote within a cell", 'a,b\n4" valve,6"\n', [["a", "b"], ['4" valve', '6"']]],
  ["a quote after a space", 'a,b\n "1",2\n', [["a", "b"], [' "1"', "2"]]],
  ["text after a quote", 'a,b\n"1"st,"2" \n', [["a", "b"], ["1st", "2 "]]],
  ["inner quotes not doubled", 'a,b\n"4" valve",""x""\n', [["a", "b"], ['4" valve', '"x"']]],
  ["a quote at the end of a cell", 'a,b\n1",2"\n', [["a", "b"], ['1"', '2"']]],
  ["a quoted cell at the end", 'a,b\n1,"2"', [["a", "b"], ["1", "2"]]],
  ["other line separators as data", "a,b\n1\u2028,2\v\n", [["a", "b"], ["1\u2028", "2\v"]]],
];

for (const [name, text, expected] of CELLS) {
  Deno.test(`openCsv() reads cells: ${name}`, async () => {
    const rows = await readAll(textSource(text), { delimiter: "," });
    assertEquals(rows.map(({ cells }) => cells), expected);
    assertEquals(rows.filter(({ flaw }) => flaw !== null), []);
  });
}

Deno.test("openCsv() numbers rows as a spreadsheet does, and lines as an editor does", async () => {
  const rows = await readAll(textSource('a,b\n\n"1\r\n2\r3",x\n\n\ny,"\n"\r\nz,1'));
  assertEquals(rows.map(({ number, line }) => [number, line]), [[1, 1], [3, 3], [6, 8], [7, 10]]);
});

Deno.test("openCsv() takes a first line sep=; as a row that is no data", async () => {
  const source = textSource("sep=;\r\na,x;b\r\n1;2\r\n");
  assertEquals((await openCsv(source)).info.delimiter, ";");
  const rows = await readAll(source);
  assertEquals(rows.map(({ cells, number, line }) => [cells, number, line]), [
    [["a,x", "b"], 2, 2],
    [["1", "2"], 3, 3],
  ]);
  assertEquals(await readAll(textSource("sep=,")), []);
});

const DELIMITERS: Array<[delimiter: string, text: string]> = [
  [",", "a,b\n1,2\n"],
  [";", "a;b\n1,5;2,5\n"],
  [";", "a;b;c\n1,5;x;3\n2,5;y, z;4\n"],
  ["\t", "name\tnote\tsize\nx\tone, two; three\t4\ny\t5,6,7\t8\n"],
  ["|", "a|b|c\n1|x,y|2\n"],
  [",", 'a,b\n"1;2;3",4\n"5;6;7",8\n'],
  [";", '"a";"b, c";"d"\n"1";"2, 3";"4"\n'],
  [";", "a;b;c\n1;2\n3,5;4\n7\n"],
  [";", "Valves of area 5, north\n\na;b;c\n1;2;3\n4;5;6\n"],
  [";", "Datum;Wert, EUR\n1.2.2025;1,50\n2.2.2025;2,75\n"],
  ["\t", "name\tsize, mm\na\t1,5\n"],
  [",", "name,list\na,x;y\nb,z\n"],
  [",", "tag\nV-1\nV-2\n"],
  [",", ""],
];

for (const [delimiter, text] of DELIMITERS) {
  Deno.test(`openCsv() detects the delimiter of ${JSON.stringify(text)}`, async () => {
    assertEquals((await openCsv(textSource(text))).info.delimiter, delimiter);
  });
}

Deno.test("openCsv() uses the delimiter it is given", async () => {
  const rows = await readAll(textSource("a:b,c\n1:2,3\n"), { delimiter: ":" });
  assertEquals(rows.map(({ cells }) => cells), [["a", "b,c"], ["1", "2,3"]]);
});

const ENCODED = 'name;größe\r\n4" Ventil;Ä\r\nø;\u00a0ÿ\r\n';
const ENCODINGS: Array<[name: string, bytes: number[], encoding: string]> = [
  ["UTF-8", [], "utf-8"],
  ["UTF-8 with a byte order mark", [0xef, 0xbb, 0xbf], "utf-8"],
  ["UTF-16 LE", [], "utf-16le"],
  ["UTF-16 LE with a byte order mark", [0xff, 0xfe], "utf-16le"],
  ["UTF-16 BE", [], "utf-16be"],
  ["UTF-16 BE with a byte order mark", [0xfe, 0xff], "utf-16be"],
  ["Windows-1252", [], "windows-1252"],
];

for (const [name, mark, encoding] of ENCODINGS) {
  Deno.test(`openCsv() detects ${name}`, async () => {
    const source = bytesSource(Uint8Array.from([...mark, ...encode(ENCODED, encoding)]));
    assertEquals((await openCsv(source)).info, { format: "csv", encoding, delimiter: ";" });
    const rows = await readAll(source);
    assertEquals(rows.map(({ cells }) => cells), [["name", "größe"], ['4" Ventil', "Ä"], ["ø", "\u00a0ÿ"]]);
    assertEquals(await readAll(source, { encoding }), rows);
  });
}

Deno.test("openCsv() reads nothing from a file that is a byte order mark only", async () => {
  assertEquals(await readAll(bytesSource(Uint8Array.from([0xef, 0xbb, 0xbf]))), []);
});

Deno.test("openCsv() reads encodings that it never detects when they are given", async () => {
  const polish = bytesSource(Uint8Array.from([0x61, 0x2c, 0x62, 0x0a, 0xb9, 0x2c, 0x9c]));
  assertEquals((await readAll(polish, { encoding: "windows-1250" }))[1]?.cells, ["ą", "ś"]);
  // The second byte of 表 is a backslash, that of ポ a vertical bar.
  const japanese = bytesSource(
    Uint8Array.from([0x61, 0x7c, 0x62, 0x0a, 0x95, 0x5c, 0x7c, 0x83, 0x7c, 0x0a, 0x63]),
  );
  const cells = (await readAll(japanese, { encoding: "sjis", delimiter: "|" })).map((row) => row.cells);
  assertEquals(cells, [["a", "b"], ["表", "ポ"], ["c"]]);
});

/** Input, and cells and flaw of every row expected of it. */
const FLAWS: Array<[name: string, text: string | number[], rows: Array<[Cell[], RowFlaw | null]>]> = [
  ["a quote never closed", 'a,b\n1,"2\n3,4\n5,6\n', [
    [["a", "b"], null],
    [["1", '"2'], "unbalanced_quotes"],
    [["3", "4"], null],
    [["5", "6"], null],
  ]],
  ["a quote never closed on the last line", 'a,b\n1,"2', [[["a", "b"], null], [
    ["1", '"2'],
    "unbalanced_quotes",
  ]]],
  ["a quote alone", '"', [[['"'], "unbalanced_quotes"]]],
  ["a stray quote before the cells that follow", 'a,b,c\n"1,2,3\n4,"5,5",6\n', [
    [["a", "b", "c"], null],
    [['"1', "2", "3"], "unbalanced_quotes"],
    [["4", "5,5", "6"], null],
  ]],
  ["a stray quote on the second line of a record", 'a,b,c\n"1\n2","3,4\n5,"6",7\n', [
    [["a", "b", "c"], null],
    [["1\n2", '"3', "4"], "unbalanced_quotes"],
    [["5", "6", "7"], null],
  ]],
  ["bytes that are no UTF-8, among many that are", [
    ...encode(`ä,${"ö".repeat(50)}\nx`, "utf-8"),
    0xfc,
    ...encode("y,2\nz,3", "utf-8"),
  ], [[["ä", "ö".repeat(50)], null], [["x\ufffdy", "2"], "invalid_text"], [["z", "3"], null]]],
  ["NUL", "a,b\n1,x\0y\n3,4\n", [[["a", "b"], null], [["1", "x\ufffdy"], "invalid_text"], [
    ["3", "4"],
    null,
  ]]],
  ["half a character at the end", [...encode(`ä${"ö".repeat(50)},b\n1,2`, "utf-8"), 0xc3], [
    [[`ä${"ö".repeat(50)}`, "b"], null],
    [["1", "2\ufffd"], "invalid_text"],
  ]],
  ["U+FFFD that stood in the file", "a,b\n1,M\ufffdller\n", [[["a", "b"], null], [
    ["1", "M\ufffdller"],
    "invalid_text",
  ]]],
];

for (const [name, input, expected] of FLAWS) {
  Deno.test(`openCsv() reads on after a flaw: ${name}`, async () => {
    const bytes = typeof input === "string" ? encode(input, "utf-8") : Uint8Array.from(input);
    const rows = await readAll(bytesSource(bytes), { delimiter: "," });
    assertEquals(rows.map(({ cells, flaw }) => [cells, flaw]), expected);
    assertEquals(rows.map(({ number }) => number), expected.map((_, index) => index + 1));
  });
}

Deno.test("openCsv() lets a stray quote swallow no more than a flawed line where no quote follows", async () => {
  const lines = Array.from({ length: 60_000 }, (_, row) => row === 100 ? '"stray,100' : `some text,${row}`);
  const rows = await readAll(textSource(lines.join("\n")), { maxRecordLength: 10_000 });
  assertEquals(rows.length, lines.length);
  assertEquals(rows.filter(({ flaw }) => flaw !== null), [
    { cells: ['"stray', "100"], number: 101, line: 101, flaw: "unbalanced_quotes" },
  ]);
});

Deno.test("openCsv() gives the start of a record that is too long, whatever quotes it, and reads on", async () => {
  const long = "x".repeat(3_000_000);
  const delimiters = ",".repeat(3_000_000);
  for (const record of [`1,${long}`, delimiters, `"1",${long}`, `"a\nb","c\n${long},2`]) {
    const rows = await readAll(textSource(`a,b\r\n${record}\r\n3,4`));
    assertEquals(rows.at(-1)?.cells, ["3", "4"]);
    const flawed = rows.filter(({ flaw }) => flaw === "too_long");
    assertEquals(flawed.length, 1);
    assertEquals(flawed[0]?.cells.join().length, 1000);
  }
});

Deno.test("openCsv() refuses a line of 100 MB in bounded memory", async () => {
  const { source, transfer } = endlessSource("", "a");
  const error = await assertRejects(() => readAll(source), LongshoreError);
  assertEquals(error.code, "unreadable_file");
  assert(transfer.bytes < 5_000_000, `read ${transfer.bytes} bytes`);
  assert(transfer.cancelled);
});

Deno.test("openCsv() looks for the end of a quote in bounded memory", async () => {
  const { source, transfer } = endlessSource('a,b\n1,"2\n', "3,4\n");
  for await (const batch of (await openCsv(source)).batches()) {
    assertEquals(batch.rows.slice(0, 3), [["a", "b"], ["1", '"2'], ["3", "4"]]);
    break;
  }
  assert(transfer.bytes < 5_000_000, `read ${transfer.bytes} bytes`);
});

Deno.test("openCsv() cancels the stream when its reader stops early", async () => {
  const { source, transfer } = endlessSource("", "a,b\n");
  for await (const batch of (await openCsv(source, { rowsPerBatch: 10 })).batches()) {
    assertEquals(batch.rows.length, 10);
    break;
  }
  assert(transfer.cancelled);
});

Deno.test("openCsv() does not take a transfer that was cut off for a shorter file", async () => {
  const source = { ...textSource("a,b\n1,2\n"), size: 100 };
  const cut = { ...source, read: (start: number, end: number) => textSource("a,b\n1,2\n").read(start, end) };
  await assertRejects(() => readAll(cut), Error, "found 8 bytes, expected 100");
});

Deno.test("openCsv() gives cursors in a stretch of blank lines that is long", async () => {
  const source = textSource("a,b\n" + "\n".repeat(9_000_000) + "1,2");
  const batches = [];
  for await (const batch of (await openCsv(source)).batches()) {
    batches.push([batch.rows.length, batch.cursor.row]);
  }
  assertEquals(batches, [[1, 4_194_301], [0, 8_388_605], [1, 9_000_002]]);
});

Deno.test("openCsv() refuses options that make no sense", async () => {
  for (
    const options of [{ delimiter: "" }, { delimiter: '"' }, { delimiter: "::" }, { encoding: "klingon" }]
  ) {
    const error = await assertRejects(() => openCsv(textSource("a"), options), LongshoreError);
    assertEquals(error.code, "invalid_request");
  }
});
