/**
 * `deno task test`: every test, as the continuous integration runs them. Out: one line a stage, the output of those
 * that failed, and at the end `N passed, N failed`; exit code 1 if anything failed. One stack serves the whole run.
 */
import { dim, green, red } from "@std/fmt/colors";
import { fromFileUrl, join } from "@std/path";
import { floorDeno, floorEnvironment } from "../local/deno_floor.ts";
import { type Stack, startStack } from "../local/stack.ts";
import { type Outcome, runPgTap } from "./run/pgtap.ts";

const PROJECT_DIR = fromFileUrl(new URL("..", import.meta.url));
/** A test that prints nothing for so long hangs. */
const SILENCE_MS = 3 * 60_000;
const TTY = Deno.stdout.isTerminal();
const totals = { passed: 0, failed: 0 };

await runStages();
console.log(`${totals.passed} passed, ${totals.failed} failed`);
Deno.exit(totals.failed > 0 ? 1 : 0);

async function runStages(): Promise<void> {
  const deno = Deno.execPath();
  await stage("Format", () => tool(deno, ["fmt", "--check"]));
  await stage("Lint", () => tool(deno, ["lint"]));
  await stage(
    "Types",
    () => tool(deno, ["check", "--quiet", "."]),
  );
  await stage("Types on the runtime floor", async () => {
    const files = await typeScriptFiles("functions", "shared");
    return await tool(await floorDeno(), ["check", "--quiet", "--no-lock", ...files]);
  });

  const dataDir = await Deno.makeTempDir({ prefix: "longshore_test_" });
  // Postgres runs as another user when the tests run as root.
  await Deno.chmod(dataDir, 0o755);
  let stack: Stack | undefined;
  await stage("Start the local stack", async () => {
    stack = await startStack({ port: 0, dataDir, durable: false });
    return { passed: 1, failed: 0, report: "" };
  });
  if (stack) {
    const { dbUrl, adminUrl, stop } = stack;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => stop().finally(() => Deno.exit(130)));
    }
    const env = { LONGSHORE_TEST_STACK: join(dataDir, "stack.json") };
    await stage(
      "Database (pgTAP)",
      (progress) => runPgTap({ dbUrl, adminUrl, dir: join(PROJECT_DIR, "supabase/tests"), onFile: progress }),
    );
    await stage("Unit and HTTP", (progress) => denoTest(deno, { args: [], env, progress }));
    await stage(
      "Unit on the runtime floor",
      async (progress) =>
        await denoTest(await floorDeno(), { args: ["--no-lock", "tests/shared/"], env, progress }),
    );
    await stop();
  }
  await Deno.remove(dataDir, { recursive: true });
}

type Progress = (name: string) => void;

/** Runs one stage and adds it up; whatever it throws is one failure. */
async function stage(name: string, run: (progress: Progress) => Promise<Outcome>): Promise<void> {
  const began = performance.now();
  const progress = (detail: string) => {
    if (TTY) write(`\r\x1b[K${dim(`… ${name}: ${detail}`.slice(0, 100))}`);
  };
  progress("");
  const outcome = await run(progress).catch((error): Outcome => ({
    passed: 0,
    failed: 1,
    report: error instanceof Error ? error.message : String(error),
  }));
  totals.passed += outcome.passed;
  totals.failed += outcome.failed;
  const seconds = `${((performance.now() - began) / 1000).toFixed(1)} s`;
  const sign = outcome.failed > 0 ? red("✗") : green("✓");
  const counts = `${outcome.passed} passed${outcome.failed > 0 ? `, ${outcome.failed} failed` : ""}`;
  write(`${TTY ? "\r\x1b[K" : ""}${sign} ${name.padEnd(28)} ${counts} ${dim(seconds)}\n`);
  if (outcome.failed > 0) write(`\n${outcome.report.trimEnd()}\n\n`);
}

/** A tool that passes or fails as a whole. */
async function tool(command: string, args: string[]): Promise<Outcome> {
  const { success, output } = await runProcess(command, { args, env: {} });
  return { passed: success ? 1 : 0, failed: success ? 0 : 1, report: output };
}

async function denoTest(
  deno: string,
  { args, env, progress }: { args: string[]; env: Record<string, string>; progress: Progress },
): Promise<Outcome> {
  // The types have been checked.
  const { success, output } = await runProcess(deno, {
    args: ["test", "-A", "--no-check", ...args],
    env,
    onLine: (line) => /^running \d+ tests? from|\.\.\. (?:.*)(?:ok|FAILED)/.test(line) && progress(line),
  });
  const summary = /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/m.exec(output);
  const passed = Number(summary?.[1] ?? 0);
  const failed = Number(summary?.[2] ?? 0);
  // A file that cannot be loaded is no test, but it is a failure.
  return { passed, failed: success ? failed : Math.max(1, failed), report: errorsOf(output) };
}

/** The part of the output that tells what went wrong; all of it where there is no such part. */
function errorsOf(output: string): string {
  const start = output.search(/^ ERRORS/m);
  return start < 0 ? output : output.slice(start);
}

interface RunOptions {
  args: string[];
  env: Record<string, string>;
  onLine?(line: string): void;
}

async function runProcess(command: string, { args, env, onLine }: RunOptions) {
  const child = new Deno.Command(command, {
    args,
    cwd: PROJECT_DIR,
    env: { ...floorEnvironment(), ...env, NO_COLOR: "1", RUST_BACKTRACE: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  let silence = setTimeout(giveUp, SILENCE_MS);
  function giveUp(): void {
    output += `\nCannot finish: found nothing printed for ${SILENCE_MS / 60_000} minutes, expected an end\n`;
    // On this signal `deno test` names the tests that it was running.
    child.kill("SIGINT");
  }
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      output += text;
      // Deno's reminder that a test is still running is no sign of life.
      if (/has been running for over/.test(text)) continue;
      clearTimeout(silence);
      silence = setTimeout(giveUp, SILENCE_MS);
      onLine?.(text.trimEnd().split("\n").at(-1) ?? "");
    }
  };
  await Promise.all([read(child.stdout), read(child.stderr)]);
  const { success } = await child.status;
  clearTimeout(silence);
  return { success, output };
}

async function typeScriptFiles(...dirs: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const dir of dirs) {
    for await (const entry of Deno.readDir(join(PROJECT_DIR, dir))) {
      const path = join(dir, entry.name);
      if (entry.isDirectory) found.push(...await typeScriptFiles(path));
      else if (entry.name.endsWith(".ts")) found.push(path);
    }
  }
  return found;
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
