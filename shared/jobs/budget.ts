/**
 * How long a slice may go on. In: limits, and the synchronous work that is run through it. Out: whether to stop. The
 * platform offers no CPU clock, so a slice counts its own: what runs between two awaits, by the wall.
 */

export interface BudgetLimits {
  /** Own CPU time, in milliseconds. */
  cpuMs: number;
  /** Wall clock since the slice began, in milliseconds. */
  wallMs: number;
  /** Own CPU time of all slices of this isolate, in milliseconds; two fifths are left when a slice begins. @default not limited */
  isolateCpuMs?: number;
}

export interface Cpu {
  /** Runs synchronous work and counts its time. */
  run<T>(work: () => T): T;
  /** Counts time that was measured elsewhere, in milliseconds. */
  add(ms: number): void;
  /** Counts what the runtime itself spends on bytes that are received or sent, which no code can time. */
  moved(bytes: number): void;
  /** Counted so far, in milliseconds. */
  readonly usedMs: number;
  /** The same of all slices that this isolate has run. */
  readonly isolateMs: number;
}

export interface Budget {
  cpu: Cpu;
  /** Wall clock so far, in milliseconds. */
  elapsedMs(): number;
  isSpent(): boolean;
}

/** At least: between 5 and 8 ms a megabyte were measured, in the thread that runs the JavaScript. */
const MS_PER_BYTE = 5 / 1e6;

/**
 * The platform sends an isolate no more requests once it has used half of its CPU time, 1 s of 2 s (Supabase Edge Runtime,
 * soft limit). So one that gets a slice has another second, whatever a clock says that counts by the wall: of that a slice
 * may use half. Slices that ended sooner would be sent back to the same isolate one after the other.
 */
const USED_AT_MOST = 3 / 5;

/** An isolate may run several slices, one after the other or at once, and the platform counts them together. */
let isolateMs = 0;

export function startBudget(limits: BudgetLimits): Budget {
  const startedAt = performance.now();
  const { isolateCpuMs = Infinity } = limits;
  isolateMs = Math.min(isolateMs, USED_AT_MOST * isolateCpuMs);
  let usedMs = 0;
  let depth = 0;
  const count = (ms: number) => {
    usedMs += ms;
    isolateMs += ms;
  };
  const cpu: Cpu = {
    run(work) {
      // Only the outermost call counts, or nested work would count twice.
      const from = performance.now();
      depth++;
      try {
        return work();
      } finally {
        depth--;
        if (depth === 0) count(performance.now() - from);
      }
    },
    add(ms) {
      count(ms);
    },
    moved(bytes) {
      count(bytes * MS_PER_BYTE);
    },
    get usedMs() {
      return usedMs;
    },
    get isolateMs() {
      return isolateMs;
    },
  };
  const elapsedMs = () => performance.now() - startedAt;
  const isSpent = () => usedMs >= limits.cpuMs || isolateMs >= isolateCpuMs || elapsedMs() >= limits.wallMs;
  return { cpu, elapsedMs, isSpent };
}
