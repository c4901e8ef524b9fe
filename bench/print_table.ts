/** A table → aligned lines on the console; columns of figures lie to the right. */
import type { Table } from "./bench.ts";

export function printTable({ title, headings, rows, notes }: Table): void {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const toTheRight = headings.map((_, column) => rows.every((row) => /^(\d|$)/.test(row[column] ?? "")));
  const print = (line: readonly string[]) =>
    console.log(
      widths.map((width, column) => {
        const cell = line[column] ?? "";
        return toTheRight[column] ? cell.padStart(width) : cell.padEnd(width);
      }).join("  ").trimEnd(),
    );

  console.log(`\n${title}\n`);
  print(headings);
  print(widths.map((width) => "─".repeat(width)));
  rows.forEach(print);
  if (notes.length > 0) console.log();
  for (const note of notes) console.log(`  ${note}`);
}
