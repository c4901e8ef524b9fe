/**
 * `deno task demo`: the main job on a real workbook, end to end. In: `--exit`, `--data DIR`. Out: the story on a terminal;
 * the stack stays up until Ctrl+C unless it is asked to exit, or ran before.
 */
import { bold, dim, red, setColorEnabled } from "@std/fmt/colors";
import { parseArgs } from "@std/cli/parse-args";
import { interruption } from "../cli/interruption.ts";
import { printFailure } from "../cli/print_failure.ts";
import { secondsText } from "../cli/terminal/quantities.ts";
import { type LocalStack, useLocalStack } from "../cli/use_local_stack.ts";
import { runDemo } from "./run_demo.ts";
import { sayWhatNext } from "./say_what_next.ts";

const USAGE = "deno task demo [--exit] [--data DIR]";

if (import.meta.main) Deno.exit(await demo(Deno.args));

async function demo(args: string[]): Promise<number> {
  if (!Deno.stdout.isTerminal()) setColorEnabled(false);
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === "string") {
    console.error(red(options));
    return 2;
  }

  const signal = interruption("Stopped");
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  let stack: LocalStack | undefined;
  try {
    const began = performance.now();
    console.log(`\n${bold("Longshore")}  ${dim("an import from a workbook to the table, on this machine")}`);
    stack = await useLocalStack(options.data, {
      onStart: () => console.log(dim("   Starting Postgres, PostgREST and stand-ins for the rest …")),
    });
    const outcome = await runDemo(stack, { signal });
    sayWhatNext(outcome, stack);
    console.log(dim(`\n  All of this took ${secondsText((performance.now() - began) / 1000)}.`));
    if (!options.exit && stack.started) {
      console.log(dim("  The stack stays up. Stop it with Ctrl+C; the data is kept.\n"));
      await stopped;
      console.log(dim("\n  Stopping. The data is kept."));
    }
    return 0;
  } catch (error) {
    printFailure(error);
    return 1;
  } finally {
    await stack?.stop();
  }
}

function readOptions(args: string[]): { exit: boolean; data: string | null } | string {
  let unknown: string | undefined;
  const given = parseArgs(args, {
    string: ["data"],
    boolean: ["exit"],
    unknown: (name: unknown) => {
      unknown ??= String(name);
      return false;
    },
  });
  if (unknown !== undefined) return `Cannot start the demo: found "${unknown}", expected ${USAGE}`;
  if (given.data === "") return `Cannot start the demo: found no folder after --data, expected ${USAGE}`;
  return { exit: given.exit, data: given.data ?? null };
}
