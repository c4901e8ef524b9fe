/**
 * The stack that tests speak to. Out: the one that `LONGSHORE_TEST_STACK` names (the path of a `stack.json`), so that
 * one stack serves a whole run, else one of the file's own, stopped after its last test. Tests share it: they make
 * people and organizations of their own and count nothing that others may have made.
 */
import type { Stack, StackFile, StackOptions } from "../../local/stack.ts";

export type TestStack =
  & Pick<Stack, "url" | "dbUrl" | "publishableKey" | "secretKey" | "jwks" | "functions">
  & Pick<Stack, "workerUrl" | "adminUrl">;

const own: { stack: Stack; dataDir: string }[] = [];
let shared: Promise<TestStack> | undefined;

// The runtime floor has no such hook; there the runner's stack is used, which the runner stops.
if ("afterAll" in Deno.test) Deno.test.afterAll(stopOwnStacks);

/** The stack of the run, or of this file. */
export function testStack(): Promise<TestStack> {
  const path = Deno.env.get("LONGSHORE_TEST_STACK");
  return shared ??= path === undefined ? ownStack() : readStack(path);
}

/** A stack that only this file uses, for tests that kill parts of it or look into its isolates. */
export async function ownStack(options: StackOptions = {}): Promise<Stack> {
  // Loaded only here: the runtime floor cannot run the local stack.
  const { startStack } = await import("../../local/stack.ts");
  const dataDir = await Deno.makeTempDir({ prefix: "longshore_test_" });
  // Postgres runs as another user when the tests run as root.
  await Deno.chmod(dataDir, 0o755);
  const stack = await startStack({ port: 0, dataDir, durable: false, ...options });
  own.push({ stack, dataDir });
  return stack;
}

async function readStack(path: string): Promise<TestStack> {
  const file: StackFile = JSON.parse(await Deno.readTextFile(path));
  return {
    url: file.url,
    dbUrl: file.db_url,
    workerUrl: as(file.db_url, "longshore_worker"),
    adminUrl: as(file.db_url, "supabase_admin"),
    publishableKey: file.publishable_key,
    secretKey: file.secret_key,
    jwks: file.jwks,
    functions: file.functions,
  };
}

function as(dbUrl: string, user: string): string {
  const url = new URL(dbUrl);
  url.username = user;
  return url.href;
}

async function stopOwnStacks(): Promise<void> {
  for (const { stack, dataDir } of own.splice(0)) {
    await stack.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
}
