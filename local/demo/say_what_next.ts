/** What there is to do after the demo. In: its outcome and the stack. Out: commands, addresses and files, on standard output. */
import { bold, cyan } from "@std/fmt/colors";
import { join } from "@std/path";
import type { LocalStack } from "../cli/use_local_stack.ts";
import type { DemoOutcome } from "./run_demo.ts";

export function sayWhatNext({ filesDir, samplePath }: DemoOutcome, stack: LocalStack): void {
  const fact = (name: string, value: string) => console.log(`  ${bold(name.padEnd(18))}${value}`);
  console.log(`\n${bold("What next")}\n`);
  fact("Your own file", cyan("deno task import my.csv"));
  fact("A sample", cyan(`deno task import ${samplePath}`));
  fact("A report", cyan("deno task export pipetrak.components --format xlsx --out components.xlsx"));
  fact("Fresh metrics", cyan("deno task refresh certus.mv_metrics_daily"));
  fact("More options", cyan("deno task import --help"));
  fact("The demo's files", filesDir);
  fact("API", stack.url);
  fact("Publishable key", stack.publishableKey);
  fact("Person", `${join(stack.dataDir, "session.json")}`);
}
