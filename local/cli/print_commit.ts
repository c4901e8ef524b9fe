/** What a commit wrote, for a person. In: its result. Out: lines on standard output. */
import { bold, dim, green, red } from "@std/fmt/colors";
import type { CommitResult } from "../../shared/client/mod.ts";
import { countText } from "./terminal/quantities.ts";

export function printCommit(result: CommitResult): void {
  const counts: [string, number, (text: string) => string][] = [
    ["Inserted", result.inserted, green],
    ["Updated", result.updated, green],
    ["Unchanged", result.unchanged, bold],
    ["Skipped", result.skipped, red],
    ["Failed", result.failed, red],
  ];
  console.log();
  for (const [name, count, style] of counts) {
    console.log(`  ${name.padEnd(14)}${(count > 0 ? style : dim)(countText(count).padStart(10))}`);
  }
}
