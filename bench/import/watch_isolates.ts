/**
 * What the isolates of a function use while something runs: the most memory that any had, and how many jobs' slices began.
 * It looks often rather than exactly: a peak between two looks is missed, unless the isolate ended there.
 */
import { join } from "@std/path";
import type { Site } from "./open_site.ts";

export interface IsolateUse {
  /** Above the bare runtime's, of the largest isolate, in MiB. */
  peakMebibytes: number;
  slices: number;
}

const LOOK_MS = 200;

/** Runs `work` and tells what the function's isolates used meanwhile. */
export async function watchIsolates(
  { stack }: Site,
  { name, work }: { name: string; work: () => Promise<void> },
): Promise<IsolateUse> {
  let peakBytes = 0;
  let ended = false;
  const note = (bytes: number) => peakBytes = Math.max(peakBytes, bytes);
  const before = await countSlices(stack.dataDir, name);
  const unlisten = stack.functionsControl.onExit((record) => {
    if (record.name === name) note(record.memoryBytes);
  });
  const looking = look();
  try {
    await work();
  } finally {
    ended = true;
    unlisten();
    await looking;
  }
  return { peakMebibytes: peakBytes / 2 ** 20, slices: await countSlices(stack.dataDir, name) - before };

  async function look(): Promise<void> {
    while (!ended) {
      for (const { memoryBytes } of await stack.functionsControl.isolates(name)) note(memoryBytes);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

/** The log has a line for each slice that began. */
async function countSlices(dataDir: string, name: string): Promise<number> {
  const log = await Deno.readTextFile(join(dataDir, "functions.log"));
  return log.split("\n").filter((line) =>
    line.includes('"event":"slice_started"') && line.includes(`"function":"${name}"`)
  ).length;
}
