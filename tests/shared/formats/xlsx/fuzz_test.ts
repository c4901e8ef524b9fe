import { assert } from "@std/assert";
import { LongshoreError } from "../../../../shared/errors.ts";
import { readAll } from "./_read_all.ts";
import { workbookOf, type ZipOptions } from "./_workbook_of.ts";

/** To look at one that failed: `FUZZ_SEED=<seed> deno test -A --filter fuzz`. */
const only = Deno.env.get("FUZZ_SEED");
const SEEDS = only ? [Number(only)] : Array.from({ length: 600 }, (_, i) => i + 1);

Deno.test("openXlsx() gives rows or a LongshoreError for workbooks that are damaged in any way (fuzz)", async () => {
  let refused = 0;
  for (const seed of SEEDS) {
    try {
      await readAll(mutant(seed));
    } catch (error) {
      assert(error instanceof LongshoreError && error.code !== "internal", `seed ${seed}: ${error}`);
      refused++;
    }
  }
  assert(
    only || (refused > 100 && refused < SEEDS.length - 50),
    `${refused} of ${SEEDS.length} were refused`,
  );
});

/** A third are damaged in the archive, the others in the XML, where checksums would hide it. */
function mutant(seed: number): Uint8Array {
  const random = seeded(seed);
  const below = (n: number) => Math.floor(random() * n);
  const container: ZipOptions = {
    stored: below(2) === 0,
    zip64: below(3) === 0,
    descriptors: below(3) === 0,
  };
  const rows = Array.from(
    { length: 20 },
    (_, i) =>
      `<row r="${i + 1}"><c r="A${i + 1}" t="s"><v>${i % 4}</v></c><c r="B${i + 1}" s="1"><v>${
        i * 1.5
      }</v></c>` +
      `<c t="inlineStr"><is><t>é&amp;_x000D_${i}</t></is></c><c t="b"><v>1</v></c><c t="e"><v>#REF!</v></c></row>`,
  );
  const xml = {
    rows: rows.join(""),
    strings: "<si><t>one</t></si><si><r><t>two</t></r><rPh><t>x</t></rPh></si><si><t>&lt;3&gt;</t></si><si/>",
  };
  if (seed % 3 === 0) {
    return damageBytes(workbookOf({ ...xml, formats: [14] }, container), { random, times: 1 + below(6) });
  }
  const part = below(3) === 0 ? "strings" : "rows";
  xml[part] = damageText(xml[part], { random, times: 1 + below(4) });
  return workbookOf({ ...xml, formats: [14] }, container);
}

interface Damage {
  random: () => number;
  times: number;
}

function damageBytes(bytes: Uint8Array, { random, times }: Damage): Uint8Array {
  for (let i = 0; i < times; i++) {
    const at = Math.floor(random() * bytes.length);
    const kind = random();
    if (kind < 0.6) bytes[at] = Math.floor(random() * 256);
    else if (kind < 0.8) bytes = bytes.slice(0, at);
    else {bytes = new Uint8Array([
        ...bytes.subarray(0, at),
        ...bytes.subarray(at + Math.floor(random() * 40)),
      ]);}
  }
  return bytes;
}

const SPLINTERS = [
  "<",
  ">",
  "</",
  "/>",
  '"',
  "<row>",
  "</row>",
  "<c>",
  "</c>",
  "<v>",
  "</v>",
  "<!--",
  "<![CDATA[",
  "]]>",
  "&#x110000;",
  "&amp",
  "<!DOCTYPE",
  "99999999999",
  "XFE1",
  "\u0000",
  "t=",
  "<?",
  "<si>",
  "</si>",
  "<t>",
  "x:",
];

function damageText(text: string, { random, times }: Damage): string {
  for (let i = 0; i < times; i++) {
    const at = Math.floor(random() * text.length);
    const splinter = SPLINTERS[Math.floor(random() * SPLINTERS.length)] ?? "";
    const removed = random() < 0.5 ? 0 : Math.floor(random() * 30);
    text = text.slice(0, at) + splinter + text.slice(at + removed);
  }
  return text;
}

function seeded(seed: number): () => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
