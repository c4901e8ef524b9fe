/** The command as people run it: a process of its own, ended by signals, killed, started again. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import postgres from "postgres";
import { processCommand } from "../../local/process_command.ts";
import type { StackFile } from "../../local/stack.ts";
import { signUp } from "../helpers/people.ts";

const START = fromFileUrl(new URL("../../local/start.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** What a failing test leaves behind is ended with it. */
const running = new Set<Deno.ChildProcess>();

interface Running {
  process: Deno.ChildProcess;
  /** The rest of what it printed, and how it ended. */
  end(): Promise<{ code: number; output: string }>;
}

function run(dataDir: string, ...args: string[]): Running {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG, START, "--data", dataDir, ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.add(process);
  process.status.then(() => running.delete(process));
  const output = Promise.all([new Response(process.stdout).text(), new Response(process.stderr).text()]);
  return {
    process,
    async end() {
      const { code } = await process.status;
      return { code, output: (await output).join("") };
    },
  };
}

/** Until the stack answers, or has ended without. */
async function untilUp(dataDir: string, { process }: Running): Promise<StackFile> {
  let ended = false;
  process.status.then(() => ended = true);
  while (!ended) {
    try {
      return JSON.parse(await Deno.readTextFile(join(dataDir, "stack.json")));
    } catch {
      await new Promise((go) => setTimeout(go, 20));
    }
  }
  throw new Error("The stack ended before it was up");
}

function project(file: StackFile) {
  return { url: file.url, publishableKey: file.publishable_key, secretKey: file.secret_key };
}

async function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  try {
    (await Deno.connect({ hostname, port: Number(port) })).close();
    return true;
  } catch {
    return false;
  }
}

async function withDataDir(test: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "longshore_start_" });
  await Deno.chmod(dataDir, 0o755);
  try {
    await test(dataDir);
  } finally {
    for (const process of running) process.kill("SIGTERM");
    await Promise.all([...running].map((process) => process.status));
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** The number on the first line of a file in the data folder. */
async function pidIn(path: string): Promise<number> {
  return Number((await Deno.readTextFile(path)).split("\n")[0]);
}

async function runs(pids: number[]): Promise<boolean[]> {
  return await Promise.all(pids.map(async (pid) => await processCommand(pid) !== ""));
}

Deno.test("start ends on a signal with nothing left running, and keeps data and keys", async () => {
  await withDataDir(async (dataDir) => {
    const first = run(dataDir, "--port", "0");
    const before = await untilUp(dataDir, first);
    const { email } = await signUp(project(before));
    first.process.kill("SIGTERM");
    const { code, output } = await first.end();
    assertEquals(code, 0, output);
    assertStringIncludes(output, before.publishable_key);
    assert(!await accepts(before.url));
    assert(!await accepts(before.db_url));
    assertEquals(await Deno.stat(join(dataDir, "stack.json")).catch(() => null), null);

    const second = run(dataDir, "--port", "0");
    const after = await untilUp(dataDir, second);
    assertEquals(after.secret_key, before.secret_key);
    const sql = postgres(after.db_url, { max: 1 });
    assertEquals((await sql`select from auth.users where email = ${email}`).length, 1);
    const secrets = await sql`
      select name, decrypted_secret from vault.decrypted_secrets where name like 'longshore_%' order by name`;
    assertEquals(secrets.map((row) => ({ ...row })), [
      { name: "longshore_functions_url", decrypted_secret: `${after.url}/functions/v1` },
      { name: "longshore_secret_key", decrypted_secret: after.secret_key },
    ]);
    await sql.end();

    const third = await run(dataDir, "--port", "0").end();
    assertEquals(third.code, 1);
    assertStringIncludes(third.output, "found another stack running there");
    second.process.kill("SIGINT");
    assertEquals((await second.end()).code, 0);

    const wiped = run(dataDir, "--port", "0", "--fresh");
    const fresh = await untilUp(dataDir, wiped);
    assert(fresh.secret_key !== before.secret_key);
    // What a terminal sends that is closed.
    wiped.process.kill("SIGHUP");
    assertEquals((await wiped.end()).code, 0);
    assert(!await accepts(fresh.db_url));
  });
});

Deno.test("start recovers from a stack that was killed, whose Postgres still runs", async () => {
  await withDataDir(async (dataDir) => {
    const killed = run(dataDir, "--port", "0");
    await untilUp(dataDir, killed);
    const children = [
      await pidIn(join(dataDir, "db/postmaster.pid")),
      await pidIn(join(dataDir, "postgrest.pid")),
    ];
    killed.process.kill("SIGKILL");
    await killed.end();
    assertEquals(await runs(children), [true, true]);
    // It could not take its file away.
    await Deno.remove(join(dataDir, "stack.json"));

    const next = run(dataDir, "--port", "0");
    await untilUp(dataDir, next);
    assertEquals(await runs(children), [false, false]);
    next.process.kill("SIGTERM");
    assertEquals((await next.end()).code, 0);
  });
});

Deno.test("start says so and ends when Postgres is killed, and starts again on the same data", async () => {
  await withDataDir(async (dataDir) => {
    const broken = run(dataDir, "--port", "0");
    await untilUp(dataDir, broken);
    Deno.kill(await pidIn(join(dataDir, "db/postmaster.pid")), "SIGKILL");
    const { code, output } = await broken.end();
    assertEquals(code, 1);
    assertStringIncludes(output, "Postgres has ended by itself");

    const next = run(dataDir, "--port", "0");
    await untilUp(dataDir, next);
    next.process.kill("SIGTERM");
    assertEquals((await next.end()).code, 0);
  });
});

Deno.test("start refuses a taken port and options it does not know", async () => {
  await withDataDir(async (dataDir) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String((taken.addr as Deno.NetAddr).port);
    const cases: [string[], string][] = [
      [["--port", port], `Cannot listen on port ${port}: found another program there`],
      [["--port", "many"], `found the port "many", expected a number from 0 to 65535`],
      [["--prot", "1"], `found "--prot"`],
    ];
    for (const [args, message] of cases) {
      const { code, output } = await run(dataDir, ...args).end();
      assertEquals(code, 1);
      assertStringIncludes(output, message);
    }
  });
});
