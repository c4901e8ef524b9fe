/** What the demo says between its steps. In: texts. Out: lines on standard output, wrapped to the terminal. */
import { bold, cyan, dim, green } from "@std/fmt/colors";
import { wrap } from "../cli/terminal/table.ts";
import { terminalWidth } from "../cli/terminal/terminal_width.ts";

let chapters = 0;

/** A heading with a number, and a sentence about what comes. */
export function beginChapter(title: string, about: string): void {
  console.log(`\n${cyan(bold(String(++chapters)))}  ${bold(title)}`);
  for (const line of wrap(about, terminalWidth() - 4)) console.log(`   ${dim(line)}`);
  console.log();
}

/** Something that has been done. */
export function sayDone(label: string, text: string): void {
  const [first = "", ...more] = wrap(text, terminalWidth() - 16);
  console.log(`  ${green("✓")} ${bold(label.padEnd(10))} ${first}`);
  for (const line of more) console.log(`${" ".repeat(15)}${line}`);
}
