/**
 * Ends what a stack left running that was killed before it could stop. In: its data folder. Out: nothing runs on that
 * folder any more. It ends a process only if the command line shows that it belongs to the folder: process ids are
 * used again.
 */
import { join } from "@std/path";
import { clusterDir } from "./postgres.ts";
import { processCommand } from "./process_command.ts";

const PATIENCE_MS = 10_000;

export async function endLeftovers(dataDir: string): Promise<void> {
  const cluster = await clusterDir(join(dataDir, "db"));
  const [postmaster] = await lines(join(cluster, "postmaster.pid"));
  if (postmaster) await end(Number(postmaster), { commandPart: cluster, signal: "SIGINT" });
  const [postgrest] = await lines(join(dataDir, "postgrest.pid"));
  if (postgrest) await end(Number(postgrest), { commandPart: "postgrest", signal: "SIGTERM" });
}

async function lines(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path).catch(() => "")).split("\n").filter((line) => line !== "");
}

async function end(
  pid: number,
  { commandPart, signal }: { commandPart: string; signal: Deno.Signal },
): Promise<void> {
  const runs = async () => (await processCommand(pid)).includes(commandPart);
  if (!await runs()) return;
  kill(pid, signal);
  for (let waited = 0; await runs(); waited += 50) {
    if (waited >= PATIENCE_MS) kill(pid, "SIGKILL");
    await new Promise((go) => setTimeout(go, 50));
  }
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}
