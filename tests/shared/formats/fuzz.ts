/**
 * Reads as many damaged files as it is told, each of which must end as rows or as a listed error; ends with 1 and names the
 * seeds that do not. `deno run -A tests/shared/formats/fuzz.ts [--count 10000] [--from 1]`
 */
import { parseArgs } from "@std/cli/parse-args";
import { mutant } from "./_mutants.ts";
import { readMutant } from "./_read_mutant.ts";

const args = parseArgs(Deno.args, { string: ["count", "from"], default: { count: "10000", from: "1" } });
const first = Number(args.from);
const last = first + Number(args.count) - 1;
const counts = new Map<string, number>();
let failed = 0;
// What SheetJS has to say about damaged files.
console.error = console.warn = () => {};
for (let seed = first; seed <= last; seed++) {
  const file = mutant(seed);
  try {
    const key = `${file.name} ${await readMutant(file)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  } catch (error) {
    failed++;
    console.log(`seed ${seed}, ${file.name}: ${error instanceof Error ? error.stack : error}`);
  }
}
for (const [key, count] of [...counts].sort()) console.log(`${key.padEnd(14)}${String(count).padStart(7)}`);
console.log(`${last - first + 1} files, ${failed} ended otherwise`);
if (failed > 0) Deno.exit(1);
