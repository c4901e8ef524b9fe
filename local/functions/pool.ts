/**
 * The isolates of one function, and the platform's limits. In: what to boot and the limits. Out: an isolate that may take
 * a request. One isolate takes all requests at a time, as hosted; a retired one finishes what it has while the next one
 * serves. A spare is booted when the active one has used a quarter of what retires it, so that nobody waits for it: when
 * that one has nothing to do, since here a boot takes the cores that hosted functions do not share with the database.
 */
import type { ExitReason, Isolate } from "./isolate.ts";
import type { UnloadReason } from "./protocol.ts";

/** The limits of one isolate. */
export interface Limits {
  /** CPU time that retires it, in ms. @default 1000 */
  cpuSoftMs: number;
  /** CPU time that kills it, in ms. @default 2000 */
  cpuHardMs: number;
  /** Time since its first request; half of it retires, all of it kills, in ms. @default 150000 */
  wallClockMs: number;
  /** Memory above the bare runtime's, in bytes. @default 268435456 */
  memoryBytes: number;
  /** Time until the headers of an answer, in ms. @default 150000 */
  requestMs: number;
}

export const HOSTED_LIMITS: Limits = {
  cpuSoftMs: 1000,
  cpuHardMs: 2000,
  wallClockMs: 150_000,
  memoryBytes: 256 * 1024 * 1024,
  requestMs: 150_000,
};

/** The end of one isolate, with what it had used when it was last looked at. */
export interface ExitRecord {
  name: string;
  id: string;
  pid: number;
  reason: ExitReason;
  cpuMs: number;
  memoryBytes: number;
  wallClockMs: number;
}

const UNLOAD_RATIO = 0.9;
const SPARE_RATIO = 0.25;

export class Pool {
  limits: Limits;
  readonly isolates = new Set<Isolate>();
  #boot: () => { isolate: Isolate; ready: Promise<void> };
  #onExit: (record: ExitRecord) => void;
  #active: Isolate | null = null;
  #activating: Promise<Isolate> | null = null;
  #spare: Promise<Isolate> | null = null;
  #closed = false;

  constructor(
    boot: () => { isolate: Isolate; ready: Promise<void> },
    options: { limits: Limits; onExit(record: ExitRecord): void },
  ) {
    this.#boot = boot;
    this.limits = options.limits;
    this.#onExit = options.onExit;
  }

  /** The isolate that takes requests now; boots one where there is none. Rejects when it cannot boot. */
  acquire(): Isolate | Promise<Isolate> {
    if (this.#active?.state === "active") return this.#active;
    this.#activating ??= this.#activate().finally(() => this.#activating = null);
    return this.#activating;
  }

  async #activate(): Promise<Isolate> {
    const spare = this.#spare;
    this.#spare = null;
    let isolate = await spare?.catch(() => null);
    if (isolate?.state !== "spare") isolate = await this.#start();
    isolate.activate();
    this.#active = isolate;
    return isolate;
  }

  async #start(): Promise<Isolate> {
    if (this.#closed) throw new Error("Cannot boot a function: the runtime is stopped");
    const { isolate, ready } = this.#boot();
    this.isolates.add(isolate);
    isolate.exited.then((reason) => {
      this.isolates.delete(isolate);
      if (this.#active === isolate) this.#active = null;
      this.#onExit({
        name: isolate.name,
        id: isolate.id,
        pid: isolate.pid,
        reason,
        cpuMs: isolate.cpuMs,
        memoryBytes: isolate.memoryBytes,
        wallClockMs: isolate.activeSince ? performance.now() - isolate.activeSince : 0,
      });
    });
    await ready;
    return isolate;
  }

  /** Holds every isolate to the limits, by the usage that was just read. */
  enforce(): void {
    for (const isolate of this.isolates) {
      if (isolate.state === "active" || isolate.state === "retired") this.#enforce(isolate);
    }
  }

  #enforce(isolate: Isolate): void {
    const { limits } = this;
    const wallClockMs = performance.now() - isolate.activeSince;
    const used: [UnloadReason, number][] = [
      ["cpu", isolate.cpuMs / limits.cpuHardMs],
      ["memory", isolate.memoryBytes / limits.memoryBytes],
      ["wall_clock", wallClockMs / limits.wallClockMs],
    ];
    const [reason, share] = used.reduce((most, each) => each[1] > most[1] ? each : most);
    if (share >= 1) return isolate.kill(reason);
    if (share >= UNLOAD_RATIO) isolate.unload(reason);

    const towardsRetirement = Math.max(
      isolate.cpuMs / limits.cpuSoftMs,
      wallClockMs / (limits.wallClockMs / 2),
    );
    if (towardsRetirement >= 1 || isolate.state === "retired") isolate.retire();
    if (isolate.state === "retired" || towardsRetirement >= SPARE_RATIO && isolate.rests) {
      this.#prepareSpare();
    }
  }

  #prepareSpare(): void {
    if (this.#spare || this.#closed) return;
    this.#spare = this.#start();
    // A spare that cannot boot is nobody's error yet: the next request boots for itself and hears of it.
    this.#spare.catch(() => this.#spare = null);
  }

  /** Retires what runs and drops the spare, so that the next request loads the code as it is now. */
  reload(): void {
    this.#spare?.then((isolate) => isolate.kill("termination"), () => {});
    this.#spare = null;
    this.#active?.retire();
  }

  /** Ends the isolates that have or may have work, at once. */
  async kill(reason: ExitReason): Promise<void> {
    const working = [...this.isolates].filter(({ state }) => state === "active" || state === "retired");
    for (const isolate of working) isolate.kill(reason);
    await Promise.all(working.map(({ exited }) => exited));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.isolates];
    for (const isolate of all) isolate.kill("termination");
    await Promise.all(all.map(({ exited }) => exited));
  }
}
