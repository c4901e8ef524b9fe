/**
 * One isolate: a process on the runtime floor that serves one function. In: what to run and with which environment.
 * Out: an `Isolate` to send requests to, to look at and to end. It decides nothing: when an isolate retires or dies is
 * up to the pool.
 */
import { dirname, fromFileUrl, toFileUrl } from "@std/path";
import { eachLine } from "./each_line.ts";
import type { FunctionDefinition } from "./read_functions.ts";
import type { IsolateReport, SupervisorOrder, UnloadReason } from "./protocol.ts";
import { readUsage, type Usage } from "./read_usage.ts";

/** Why an isolate is gone: a limit, its own end, or somebody's will. */
export type ExitReason = UnloadReason | "killed" | "crashed" | "boot_error";

export type IsolateState = "booting" | "spare" | "active" | "retired" | "gone";

export interface IsolateOptions {
  /** The binary of the runtime floor. */
  deno: string;
  env: Record<string, string>;
  /** Where it reports to. */
  control: ControlServer;
  /** What the function may read beside /tmp. */
  readable: string;
  /** What it may not read though it lies there. */
  hidden: string;
  /** V8's own limit, in MB. */
  heapMb: number;
  onLine(line: string): void;
}

/** The connections that isolates open to the supervisor, by isolate. */
export interface ControlServer {
  port: number;
  expect(id: string): Promise<Deno.TcpConn>;
  close(): void;
}

const BOOT_MS = 30_000;

export class Isolate {
  readonly id = crypto.randomUUID();
  readonly name: string;
  readonly exited: Promise<ExitReason>;
  state: IsolateState = "booting";
  port = 0;
  /** Requests sent to it that it has not answered yet. */
  unanswered = 0;
  /** Whether nothing goes on in it, not even in the background. */
  rests = false;
  activeSince = 0;
  usage: Usage = { cpuMs: 0, memoryBytes: 0 };
  reason: ExitReason | null = null;

  #entrypoint: string;
  #server: ControlServer;
  #child: Deno.ChildProcess;
  #control: WritableStreamDefaultWriter<Uint8Array> | null = null;
  #bare: Usage = { cpuMs: 0, memoryBytes: 0 };
  #retireSent = false;
  #unloadSent = false;

  constructor(definition: FunctionDefinition, options: IsolateOptions) {
    this.name = definition.name;
    this.#entrypoint = definition.entrypoint;
    this.#server = options.control;
    const inherited = ["HOME", "DENO_DIR"].flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    this.#child = new Deno.Command(options.deno, {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-lock",
        "--no-prompt",
        "--node-modules-dir=none",
        ...(definition.importMap ? [`--import-map=${definition.importMap}`] : []),
        "--allow-net",
        "--allow-env",
        "--allow-sys=hostname,osRelease,uid,gid,homedir,cpus,networkInterfaces",
        `--allow-read=${options.readable},/tmp`,
        `--deny-read=${options.hidden}`,
        "--allow-write=/tmp",
        `--v8-flags=--max-old-space-size=${options.heapMb}`,
        fromFileUrl(import.meta.resolve("./bootstrap.ts")),
      ],
      cwd: dirname(definition.entrypoint),
      clearEnv: true,
      env: {
        ...Object.fromEntries(inherited),
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
        ...options.env,
        SB_EXECUTION_ID: this.id,
        LONGSHORE_ISOLATE: JSON.stringify({ controlPort: options.control.port, id: this.id }),
      },
      // Ctrl-C in a terminal goes to the whole group; a job that is being cancelled still needs its isolate.
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const logged = [this.#child.stdout, this.#child.stderr].map((stream) => eachLine(stream, options.onLine));
    this.exited = this.#child.status.then(async ({ signal }) => {
      this.state = "gone";
      this.reason ??= reasonOfSignal(signal);
      // A grandchild or a pipe that stays open must not keep the exit from being known.
      await Promise.race([Promise.all(logged), new Promise((go) => setTimeout(go, 100))]);
      return this.reason;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** CPU time since it was ready, in ms. */
  get cpuMs(): number {
    return Math.max(0, this.usage.cpuMs - this.#bare.cpuMs);
  }

  /** Memory above the bare runtime's, in bytes. */
  get memoryBytes(): number {
    return Math.max(0, this.usage.memoryBytes - this.#bare.memoryBytes);
  }

  /** Resolves when the function listens; rejects when it ends before, or takes longer than 30 s. */
  async boot(): Promise<void> {
    const timer = setTimeout(() => this.kill("boot_error"), BOOT_MS);
    try {
      const ended = this.exited.then(() => {
        throw new Error(`Cannot boot the function "${this.name}": its process ended; see functions.log`);
      });
      await Promise.race([ended, this.#boot()]);
    } catch (error) {
      this.kill("boot_error");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #boot(): Promise<void> {
    const connection = await this.#server.expect(this.id);
    this.#control = connection.writable.getWriter();
    // Before the function's own modules are there, so that they count as the function's memory.
    const memoryBytes = (await readUsage([this.pid])).get(this.pid)?.memoryBytes ?? 0;
    this.order({ type: "load", entrypoint: toFileUrl(this.#entrypoint).href });

    const ready = Promise.withResolvers<number>();
    eachLine(connection.readable, (line) => {
      const report: IsolateReport = JSON.parse(line);
      if (report.type === "ready") ready.resolve(report.port);
      else if (report.type === "failed") ready.reject(new Error(report.message));
      else if (report.type === "resting") this.rests = true;
      else if (report.type === "idle") this.kill("early_drop");
    });
    this.port = await ready.promise;
    const cpuMs = (await readUsage([this.pid])).get(this.pid)?.cpuMs ?? 0;
    this.#bare = this.usage = { cpuMs, memoryBytes };
    this.state = "spare";
  }

  activate(): void {
    this.state = "active";
    this.activeSince = performance.now();
  }

  /** Takes no request any more; ends when the last answer is sent and nothing is pending. */
  retire(): void {
    if (this.state === "active") this.state = "retired";
    if (this.state !== "retired" || this.unanswered > 0 || this.#retireSent) return;
    this.#retireSent = true;
    this.order({ type: "retire" });
  }

  unload(reason: UnloadReason): void {
    if (this.#unloadSent) return;
    this.#unloadSent = true;
    this.order({ type: "beforeunload", reason });
  }

  kill(reason: ExitReason): void {
    if (this.state === "gone" || this.reason) return;
    this.reason = reason;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself in this moment.
    }
  }

  private order(message: SupervisorOrder): void {
    this.#control?.write(new TextEncoder().encode(JSON.stringify(message) + "\n")).catch(() => {});
  }
}

/** V8 aborts the process when its heap is full, sooner than anybody could look from outside. */
function reasonOfSignal(signal: Deno.Signal | null): ExitReason {
  if (signal === "SIGKILL") return "killed";
  return signal === "SIGTRAP" || signal === "SIGABRT" || signal === "SIGILL" ? "memory" : "crashed";
}

/** Listens on loopback and hands every connection to the isolate whose id its first line names. */
export function startControlServer(): ControlServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const expected = new Map<string, (connection: Deno.TcpConn) => void>();

  async function greet(connection: Deno.TcpConn): Promise<void> {
    const bytes = new Uint8Array(256);
    const length = await connection.read(bytes) ?? 0;
    const { id }: { id?: string } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
    const take = expected.get(id ?? "");
    if (!take) throw new Error("Cannot greet: found an isolate that nobody expects");
    expected.delete(id ?? "");
    take(connection);
  }

  (async () => {
    for await (const connection of listener) greet(connection).catch(() => connection.close());
  })().catch(() => {});

  return {
    port: listener.addr.port,
    expect: (id) => new Promise((resolve) => expected.set(id, resolve)),
    close: () => listener.close(),
  };
}
