/**
 * `deno task import` as people run it: a process of its own. In: arguments. Out: its exit code and what it wrote. Each
 * test has a data folder of its own, so that its person and project are nobody else's.
 */
import { fromFileUrl, join } from "@std/path";
import type { TestStack } from "../../helpers/stack.ts";

const PROJECT_DIR = fromFileUrl(new URL("../../..", import.meta.url));

export interface Finished {
  code: number;
  out: string;
  err: string;
}

export interface RunningImport {
  finished: Promise<Finished>;
  /** Resolves when standard error has brought this text. */
  said(text: string): Promise<void>;
  kill(signal: Deno.Signal): void;
}

/** A data folder that leads to the stack of the tests. */
export async function makeDataDir(stack: TestStack): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "longshore_cli_" });
  const file = { url: stack.url, publishable_key: stack.publishableKey };
  await Deno.writeTextFile(join(dir, "stack.json"), JSON.stringify(file));
  return dir;
}

export function startImport(args: string[], env: Record<string, string> = {}): RunningImport {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "local/cli/import.ts", ...args],
    cwd: PROJECT_DIR,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let err = "";
  let listeners: (() => void)[] = [];
  const readErrors = async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      err += text;
      for (const listener of listeners) listener();
    }
  };
  const finish = async (): Promise<Finished> => {
    const [out, , { code }] = await Promise.all([
      new Response(child.stdout).text(),
      readErrors(),
      child.status,
    ]);
    return { code, out, err };
  };
  return {
    finished: finish(),
    said: (text) =>
      new Promise((resolve) => {
        const look = () => {
          if (!err.includes(text)) return;
          listeners = listeners.filter((each) => each !== look);
          resolve();
        };
        listeners.push(look);
        look();
      }),
    kill: (signal) => child.kill(signal),
  };
}

export async function runImport(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  return await startImport(args, env).finished;
}
