import { assert, assertEquals, assertRejects } from "@std/assert";
import { constants, deflateRawSync, type ZlibOptions } from "node:zlib";
import { type DeflatePlace, inflate, InflateError } from "../../../../shared/formats/xlsx/inflate.ts";

const CONTENT = new TextEncoder().encode(
  Array.from(
    { length: 60_000 },
    (_, i) => `<c r="A${i}" t="s"><v>${(i * 7919) % 1003}</v></c><c><v>${i * 1.1}</v></c>`,
  )
    .join(""),
);

const ENCODERS: { name: string; options: ZlibOptions; marked: boolean | null }[] = [
  ...[4, 6, 9].map((level) => ({ name: `level ${level}`, options: { level }, marked: true })),
  { name: "small blocks", options: { memLevel: 1 }, marked: true },
  { name: "Huffman codes alone", options: { strategy: constants.Z_HUFFMAN_ONLY }, marked: true },
  { name: "a small window", options: { windowBits: 9 }, marked: true },
  // Blocks of these kinds have nothing by which to find them; on level 1 an encoder may choose them.
  { name: "level 1", options: { level: 1 }, marked: null },
  { name: "fixed codes", options: { strategy: constants.Z_FIXED }, marked: false },
  { name: "no compression", options: { level: 0 }, marked: false },
];
for (const { name, options, marked } of ENCODERS) {
  Deno.test(`inflate() goes on from every mark in what was deflated with ${name}`, async () => {
    const deflated = new Uint8Array(deflateRawSync(CONTENT, options));
    const marks: { place: DeflatePlace; offset: number }[] = [];
    let offset = 0;
    const chunks = inflate(pieces(deflated, 50_000), {
      markEvery: 400_000,
      onMark: (place) => marks.push({ place, offset }),
    });
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) {
      parts.push(chunk);
      offset += chunk.length;
    }
    assertSame(joined(parts), CONTENT);
    if (marked !== null) assertEquals(marks.length > 3, marked);
    for (const { place, offset } of marks) {
      const rest = await Array.fromAsync(
        inflate(pieces(deflated.subarray(place.at), 7_000), { from: place }),
      );
      assertSame(joined(rest), CONTENT.subarray(offset));
    }
  });
}

Deno.test("inflate() tells damaged bytes from bytes that do not come", async () => {
  const deflated = new Uint8Array(deflateRawSync(CONTENT));
  const damaged = deflated.slice();
  damaged.fill(0xff, 1000, 1100);
  await assertRejects(() => Array.fromAsync(inflate(pieces(damaged, 9000), { markEvery: 1 })), InflateError);
  const broken = async function* () {
    yield* pieces(deflated.subarray(0, 20_000), 5000);
    throw new Error("the line is cut");
  };
  await assertRejects(() => Array.fromAsync(inflate(broken(), { markEvery: 1 })), Error, "the line is cut");
});

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function joined(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A million bytes one by one would take the assertion long. */
function assertSame(found: Uint8Array, expected: Uint8Array): void {
  assertEquals(found.length, expected.length);
  assert(found.every((byte, i) => byte === expected[i]), "other bytes");
}
