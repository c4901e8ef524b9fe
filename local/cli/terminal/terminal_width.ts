/** How many columns a line may have. In: where it is written. Out: the terminal's width, within reason; else 100. */
export function terminalWidth(stream: { isTerminal(): boolean } = Deno.stdout): number {
  if (!stream.isTerminal()) return 100;
  try {
    return Math.max(40, Math.min(140, Deno.consoleSize().columns));
  } catch {
    return 80;
  }
}
