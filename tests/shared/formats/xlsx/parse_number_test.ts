import { assertEquals } from "@std/assert";
import { parseShortNumber } from "../../../../shared/formats/xlsx/parse_number.ts";
import { seededRandom } from "../../../helpers/random.ts";

const encoder = new TextEncoder();

function parse(text: string): number {
  const bytes = encoder.encode(`x${text}x`);
  return parseShortNumber(bytes, { start: 1, end: bytes.length - 1 });
}

Deno.test("parseShortNumber() reads the numbers that programs write as Number() does", () => {
  const random = seededRandom(20_261_121);
  let left = 0;
  for (let i = 0; i < 20_000; i++) {
    const value = (random.next() - 0.5) * 10 ** random.int(-3, 15);
    const texts = [value.toPrecision(17), String(value), value.toExponential(16), value.toFixed(3)];
    for (const text of texts) {
      const found = parse(text);
      if (Number.isNaN(found)) left++;
      else assertEquals(found, Number(text), text);
    }
  }
  // What it does not read takes the slow way; that must stay rare.
  assertEquals(left < 3000, true, String(left));
});

Deno.test("parseShortNumber() rounds like Number() where a text lies near the middle of two numbers", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 20_000; i++) {
    const odd = BigInt(2 ** 52 + Math.floor(random.next() * 2 ** 52)) * 2n + 1n;
    for (const text of [String(odd), `${odd}E-${random.int(0, 22)}`, `0.${odd}`, `${odd}1E-3`]) {
      const found = parse(text);
      if (!Number.isNaN(found)) assertEquals(found, Number(text), text);
    }
  }
});

Deno.test("parseShortNumber() leaves what is no number, or too much for it, to others", () => {
  for (const text of ["", "-", ".", "-.", "1..2", "1e", "1e+", "1e2.5", "12a", "+5", "1e400", "1 2"]) {
    assertEquals(parse(text), NaN, text);
  }
  for (
    const [text, value] of [["1.", 1], ["-.5", -0.5], ["-0", 0], ["00012", 12], ["0e5", 0], ["1E-3", 0.001]]
  ) {
    assertEquals(parse(String(text)), value, String(text));
  }
});
