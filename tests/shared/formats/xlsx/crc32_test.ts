import { assertEquals } from "@std/assert";
import { crc32 } from "../../../../shared/formats/xlsx/crc32.ts";

Deno.test("crc32() gives the checksum that every zip program gives", () => {
  const check = (text: string) => crc32(new TextEncoder().encode(text));
  assertEquals(check(""), 0);
  assertEquals(check("123456789"), 0xcbf43926);
  assertEquals(check("The quick brown fox jumps over the lazy dog"), 0x414fa339);
});

Deno.test("crc32() gives the same wherever the bytes lie and are cut", () => {
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => i * 31 % 251);
  const whole = crc32(bytes);
  for (let shift = 0; shift < 8; shift++) {
    const memory = new Uint8Array(shift + bytes.length);
    memory.set(bytes, shift);
    const moved = memory.subarray(shift);
    for (let cut = 0; cut <= 40; cut++) {
      assertEquals(crc32(moved.subarray(cut), crc32(moved.subarray(0, cut))), whole);
    }
  }
});
