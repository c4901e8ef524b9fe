/**
 * Reads lines of UTF-8. In: bytes as they come. Out: a call for each whole line, without its line feed, and for what
 * follows the last one. It ends quietly when the stream breaks: whoever wrote may have been killed in mid-line.
 */
export async function eachLine(
  stream: Deno.Conn["readable"],
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  try {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    }
  } catch {
    // See above.
  }
  if (rest !== "") onLine(rest);
}
