import { assert } from "@std/assert";
import { mutant } from "./_mutants.ts";
import { readMutant } from "./_read_mutant.ts";

/** A tenth of what `fuzz.ts` reads. To look at one that failed: `FUZZ_SEED=<seed> deno test -A tests/shared/formats/fuzz_test.ts`. */
const COUNT = 1000;
const only = Deno.env.get("FUZZ_SEED");
const SEEDS = only ? [Number(only)] : Array.from({ length: COUNT }, (_, i) => i + 1);

Deno.test("openFile() gives rows or a listed error for files that are damaged in any way", async () => {
  let refused = 0;
  for (const seed of SEEDS) {
    const outcome = await readMutant(mutant(seed)).catch((cause) => {
      throw new Error(`seed ${seed}`, { cause });
    });
    if (outcome === "refused") refused++;
  }
  assert(only || (refused > COUNT / 4 && refused < COUNT * 3 / 4), `${refused} of ${COUNT} were refused`);
});
