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
  const text = await blob.text();
  for (let number = 1;; number++) {
    const ending = number === 1 ? "problems.csv" : `problems-${number}.csv`;
    const path = join(dirname(beside), `${parse(beside).name}.${ending}`);
    if (await writeNew(path, text)) return path;
  }
}

/** False where another file has the name; one with the same text is the same file. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await Deno.readTextFile(path).catch(() => null) === text;
  }
}
