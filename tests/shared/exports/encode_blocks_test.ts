import { assertEquals } from "@std/assert";
import { read, utils } from "xlsx";
import { concat, encodeBlocks } from "../../../shared/exports/encode_blocks.ts";
import type { Report } from "../../../shared/exports/report.ts";

const columns = [
  { name: "tag", heading: "Tag", type: "text" as const },
  { name: "quantity", heading: "Quantity", type: "integer" as const },
];
const report = { name: "lab.list", title: "List", columns } as unknown as Report;
const block = (rows: unknown[][]) =>
  new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join(","));
const FIRST = block([["A", 1], ["B", 2]]);
const SECOND = block([["C", 3]]);

/** The file, each block by an encoder of its own; before the first where `early`. */
function inSlices(early: boolean): Uint8Array {
  const pieces: Uint8Array[] = [];
  let encoder = encodeBlocks({ report, format: "xlsx", columns, begun: false });
  const goOn = () => {
    const state = JSON.parse(JSON.stringify(encoder.state()));
    encoder = encodeBlocks({ report, format: "xlsx", columns, begun: true, state });
    pieces.push(encoder.start());
  };
  pieces.push(encoder.start());
  if (early) goOn();
  pieces.push(encoder.encode(FIRST));
  goOn();
  pieces.push(encoder.encode(SECOND), encoder.finish());
  return concat(pieces);
}

for (const early of [true, false]) {
  Deno.test(`encodeBlocks() goes on in another isolate${early ? " that has no row yet" : ""}`, () => {
    const encoder = encodeBlocks({ report, format: "xlsx", columns, begun: false });
    const whole = concat([encoder.start(), encoder.encode(FIRST), encoder.encode(SECOND), encoder.finish()]);
    const file = inSlices(early);
    assertEquals(file, whole);
    const book = read(file);
    assertEquals(utils.sheet_to_json(book.Sheets[book.SheetNames[0]!]!, { header: 1 }), [
      ["Tag", "Quantity"],
      ["A", 1],
      ["B", 2],
      ["C", 3],
    ]);
  });
}
