/**
 * Holds a data folder for this process. In: the folder. Out: a lock to dispose of; the operating system lets go of it
 * however the process ends, so a lock file that lies around means nothing.
 */
import { join } from "@std/path";

export async function lockDataDir(dataDir: string): Promise<Disposable> {
  const file = await Deno.open(join(dataDir, "lock"), { create: true, write: true });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new Error(
    `Cannot start on "${dataDir}": found another stack running there, expected a folder of its own; ` +
      `stop that one or choose another folder with --data DIR`,
  );
}
