/**
 * `deno task start`: the local stack in the foreground. In: `--port N`, `--data DIR`, `--fresh`. Out: a table of
 * addresses and keys; it ends on SIGINT, SIGTERM and with its terminal, with nothing left running and the data kept, or
 * with exit code 1 when a part cannot start or dies.
 */
import { parseArgs } from "@std/cli/parse-args";
import { bold, cyan, dim, green, red } from "@std/fmt/colors";
import { join } from "@std/path";
import { type Stack, startStack } from "./stack.ts";

const USAGE = "deno task start [--port N] [--data DIR] [--fresh]";

/** How long a stop may take before a second signal is no longer waited for. */
const PATIENCE_MS = 15_000;

if (import.meta.main) Deno.exit(await start(Deno.args));

async function start(args: string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === "string") return complain(options);

  // Asked for before anything is started, so that a signal during the start is not lost.
  const { promise: asked, resolve: ask } = Promise.withResolvers<string>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => ask(signal));
  }

  const began = performance.now();
  let stack: Stack;
  try {
    stack = await startStack(options);
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error));
  }
  console.log(table(stack));
  console.log(
    dim(`Ready after ${((performance.now() - began) / 1000).toFixed(1)} s. Stop it with Ctrl+C.\n`),
  );

  const died = stack.broken.then((name) => `${name} has ended by itself; see the logs in the data folder`);
  const reason = await Promise.race([asked.then(() => null), died]);
  if (reason === null) console.log("\nStopping …");
  else console.error(red(`\n${reason}. Stopping the rest …`));
  const late = setTimeout(() => Deno.exit(complain("Cannot stop within 15 s; ending anyway")), PATIENCE_MS);
  await stack.stop();
  clearTimeout(late);
  console.log("Stopped. The data is kept.");
  return reason === null ? 0 : 1;
}

function readOptions(args: string[]): { port?: number; dataDir?: string; fresh?: boolean } | string {
  let unknown: string | undefined;
  const given = parseArgs(args, {
    string: ["port", "data"],
    boolean: ["fresh"],
    unknown: (name: unknown) => {
      unknown ??= String(name);
      return false;
    },
  });
  if (unknown !== undefined) return `Cannot start: found "${unknown}", expected ${USAGE}`;
  const port = given.port === undefined ? undefined : Number(given.port);
  if (port !== undefined && !(given.port !== "" && Number.isInteger(port) && port >= 0 && port <= 65535)) {
    return `Cannot start: found the port "${given.port}", expected a number from 0 to 65535`;
  }
  if (given.data === "") return `Cannot start: found no folder after --data, expected ${USAGE}`;
  return {
    ...(port === undefined ? {} : { port }),
    ...(given.data === undefined ? {} : { dataDir: given.data }),
    fresh: given.fresh,
  };
}

function table(stack: Stack): string {
  const rows: [string, string][] = [
    ["API", stack.url],
    ["REST", `${stack.url}/rest/v1`],
    ["Functions", `${stack.url}/functions/v1`],
    ...stack.functions.map((name): [string, string] => ["", `${stack.url}/functions/v1/${name}`]),
    ["Database", stack.dbUrl],
    ["Publishable key", stack.publishableKey],
    ["Secret key", stack.secretKey],
    ["Data and logs", stack.dataDir],
    ["For programs", join(stack.dataDir, "stack.json")],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${bold(name.padEnd(width))}  ${cyan(value)}`);
  return [`\n${green("Longshore is running")}`, "", ...lines, ""].join("\n");
}

function complain(message: string): number {
  console.error(red(message));
  return 1;
}
