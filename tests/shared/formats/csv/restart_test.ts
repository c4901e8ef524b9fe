import { assertEquals } from "@std/assert";
import { bytesSource } from "../../../../shared/formats/bytes_source.ts";
import { openCsv, type OpenCsvOptions } from "../../../../shared/formats/csv/mod.ts";
import type { ByteSource, RowBatch } from "../../../../shared/formats/reader.ts";
import type { CsvCursor } from "../../../../shared/formats/csv/mod.ts";
import { chunkedSource, encode, readAll, seededRandom } from "./_read_all.ts";

/** Pieces that files are thrown together from: what may stand on either side of a cut, sound and unsound. */
const PIECES = [
  ...'ab1,,,"""\n\n',
  "\r\n",
  "\r",
  "\n\r",
  '"x"',
  ',"',
  '",',
  '"\n',
  '\n"',
  '""',
  '"a\nb"',
  '"a ""q""\r\nb"',
  "ä",
  "ÿ",
  "longer text",
  "\0",
  "1,2,3\n",
  "x".repeat(30),
];
/**
 * Only where the encoding has them. The last two hold a line feed for whoever reads UTF-16 from an odd byte
 * on.
 */
const WIDE_PIECES = ["€", "漢字", "😀", "\ufffd", "\ufeff", "\u0a61\u4100", "\u4100\u0a61"];

const FILES = 400;

function randomText(random: (below: number) => number, pieces: string[]): string {
  return Array.from({ length: random(120) }, () => pieces[random(pieces.length)]).join("");
}

async function batchesOf(source: ByteSource, options: OpenCsvOptions): Promise<RowBatch<CsvCursor>[]> {
  return await Array.fromAsync((await openCsv(source, options)).batches());
}

for (const encoding of ["utf-8", "utf-16le", "utf-16be", "windows-1252"]) {
  Deno.test(`openCsv() gives the same rows of any ${encoding} file, however it is cut, from every cursor`, async () => {
    for (let seed = 1; seed <= FILES; seed++) {
      const random = seededRandom(seed);
      const pieces = encoding === "windows-1252" ? PIECES : [...PIECES, ...WIDE_PIECES];
      const bytes = encode(randomText(random, pieces), encoding);
      // Broken characters, on purpose.
      if (encoding === "utf-8" && seed % 3 === 0) {
        for (let hit = 0; hit < 3; hit++) bytes[random(bytes.length)] = 0x80 + random(0x80);
      }
      if (encoding.startsWith("utf-16") && seed % 3 === 0) bytes[2 * random(bytes.length / 2)] = 0xd8;
      const options = {
        encoding,
        delimiter: ",",
        rowsPerBatch: 1 + random(4),
        maxRecordLength: [25, 60, 1000][random(3)]!,
      };
      await assertRestartable(bytes, { ...options, seed, random });
    }
  });
}

async function assertRestartable(
  bytes: Uint8Array,
  options: OpenCsvOptions & { seed: number; random: (below: number) => number },
): Promise<void> {
  const { seed, random, ...open } = options;
  let expected: RowBatch<CsvCursor>[];
  try {
    expected = await batchesOf(bytesSource(bytes), open);
  } catch (error) {
    // A first record too long: then it is so for every block size.
    for (const blockBytes of [1, 7, 64]) {
      const again = await batchesOf(bytesSource(bytes), { ...open, blockBytes }).catch((other) =>
        other.message
      );
      assertEquals(again, (error as Error).message, `seed ${seed}`);
    }
    return;
  }
  for (const blockBytes of [1, 1 + random(8), 1 + random(100)]) {
    const cut = await batchesOf(chunkedSource(bytes, 1 + random(20)), { ...open, blockBytes });
    assertEquals(cut, expected, `seed ${seed}, blocks of ${blockBytes} bytes`);
  }
  for (const [index, { cursor }] of expected.entries()) {
    const kept: CsvCursor = JSON.parse(JSON.stringify(cursor));
    const blockBytes = 1 + random(100);
    const rest = await batchesOf(bytesSource(bytes), {
      ...open,
      encoding: undefined,
      cursor: kept,
      blockBytes,
    });
    assertEquals(rest, expected.slice(index + 1), `seed ${seed}, after batch ${index}`);
  }
}

Deno.test("openCsv() goes on from every cursor of a detected file with a byte order mark and a sep line", async () => {
  const text = "\ufeffsep=;\r\nname;size\r\n" +
    Array.from({ length: 50 }, (_, row) => `Ventil ü ${row};${row}\r\n`).join("");
  for (const encoding of ["utf-8", "utf-16le", "utf-16be"]) {
    const source = bytesSource(encode(text, encoding));
    const batches = await batchesOf(source, { rowsPerBatch: 7 });
    assertEquals(batches.flatMap(({ rows }) => rows).length, 51);
    assertEquals(batches[0]?.rowNumbers, [2, 3, 4, 5, 6, 7, 8]);
    for (const [index, { cursor }] of batches.entries()) {
      assertEquals(await batchesOf(source, { rowsPerBatch: 7, cursor }), batches.slice(index + 1));
    }
  }
});

Deno.test("openCsv() gives the same batches of records that are too long, however they are cut", async () => {
  const text = "a,b\n" + `1,${"x".repeat(3_000_000)}\n2,2\n`.repeat(6);
  const expected = await batchesOf(bytesSource(encode(text, "utf-8")), {});
  assertEquals(expected.map(({ rows }) => rows.length), [8, 5]);
  for (const blockBytes of [100_000, 1_500_000, 4_000_000]) {
    assertEquals(await batchesOf(bytesSource(encode(text, "utf-8")), { blockBytes }), expected);
  }
});

Deno.test("openCsv() loses no character of a file, whatever its quotes", async () => {
  for (let seed = 1; seed <= FILES; seed++) {
    const random = seededRandom(seed);
    const text = "a" + randomText(random, [...PIECES, ...WIDE_PIECES]);
    const options = { encoding: "utf-8", delimiter: "," };
    const rows = await readAll(bytesSource(encode(text, "utf-8")), options);
    const read = rows.flatMap(({ cells }) => cells).join("");
    const marks = /["\r\n,]/g;
    assertEquals(read.replace(marks, ""), text.replaceAll("\0", "\ufffd").replace(marks, ""), `seed ${seed}`);
  }
});
