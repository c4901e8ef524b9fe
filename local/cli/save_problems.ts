/**
 * Puts problems.csv beside the file that has the problems. In: the job of the check and the file's name. Out: the name of
 * the new file, `NAME.problems.csv`, or with a number where somebody may be correcting one of that name; null where there
 * is nothing to save.
 */
import { dirname, join, parse } from "@std/path";
import type { Job, Longshore } from "../../shared/client/mod.ts";

export async function saveProblems(
  longshore: Longshore,
  job: Job,
  { beside }: { beside: string },
): Promise<string | null> {
  const blob = await longshore.downloadProblems(job);
  if (!blob) return null;
  // As bytes: a text would lose the byte order mark, by which spreadsheets know the encoding.
  const bytes = new Uint8Array(await blob.arrayBuffer());
  for (let number = 1;; number++) {
    const ending = number === 1 ? "problems.csv" : `problems-${number}.csv`;
    const path = join(dirname(beside), `${parse(beside).name}.${ending}`);
    if (await writeNew(path, bytes)) return path;
  }
}

/** False where another file has the name; one with the same bytes is the same file. */
async function writeNew(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await Deno.writeFile(path, bytes, { createNew: true });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const other = await Deno.readFile(path).catch(() => null);
    return other?.length === bytes.length && other.every((byte, place) => byte === bytes[place]);
  }
}
