/**
 * The local stack of a data folder, for one command. In: the folder. Out: how to reach the stack; one that runs is used
 * and left alone, else one is started and stopped again with the command.
 */
import { fromFileUrl, join, resolve } from "@std/path";
import type { StackFile } from "../stack.ts";

export interface LocalStack {
  url: string;
  publishableKey: string;
  /** The data folder, resolved. */
  dataDir: string;
  /** Whether it was started here. */
  started: boolean;
  /** Stops what was started here. */
  stop(): Promise<void>;
}

export interface UseLocalStackOptions {
  /** Called before one is started. */
  onStart?(dataDir: string): void;
  /** The port of one that is started. @default any free one */
  port?: number;
}

const PROJECT_DIR = fromFileUrl(new URL("../..", import.meta.url));

export async function useLocalStack(
  dataDir: string | null,
  { onStart, port = 0 }: UseLocalStackOptions = {},
): Promise<LocalStack> {
  const dir = resolve(dataDir ?? join(PROJECT_DIR, ".local"));
  const running = await findRunning(dir);
  if (running) {
    return {
      url: running.url,
      publishableKey: running.publishable_key,
      dataDir: dir,
      started: false,
      stop: () => Promise.resolve(),
    };
  }
  onStart?.(dir);
  // Loaded only here: most commands find a stack that runs.
  const { startStack } = await import("../stack.ts");
  const stack = await startStack({ port, dataDir: dir });
  return {
    url: stack.url,
    publishableKey: stack.publishableKey,
    dataDir: dir,
    started: true,
    stop: () => stack.stop(),
  };
}

/** The file may have outlived a stack that was killed: only an answer counts. */
async function findRunning(dataDir: string): Promise<StackFile | null> {
  const text = await Deno.readTextFile(join(dataDir, "stack.json")).catch(() => null);
  if (text === null) return null;
  const file: StackFile = JSON.parse(text);
  const headers = { apikey: file.publishable_key };
  const signal = AbortSignal.timeout(5_000);
  const answer = await fetch(`${file.url}/auth/v1/health`, { headers, signal }).catch(() => null);
  await answer?.body?.cancel();
  return answer?.ok ? file : null;
}
