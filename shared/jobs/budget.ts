/**
 * How long a slice may go on. In: limits, and the synchronous work that is run through it. Out: whether to stop. The
 * platform offers no CPU clock, so a slice counts its own: what runs between two awaits, by the wall.
 */

export interface BudgetLimits {
  /** Own CPU time, in milliseconds. */
  cpuMs: number;
  /** Wall clock since the slice began, in milliseconds. */
  wallMs: number;
}

export interface Cpu {
  /** Runs synchronous work and counts its time. */
  run<T>(work: () => T): T;
  /** Counts time that was measured elsewhere, in milliseconds. */
  add(ms: number): void;
  /** Counted so far, in milliseconds. */
  readonly usedMs: number;
}

export interface Budget {
  cpu: Cpu;
  /** Wall clock so far, in milliseconds. */
  elapsedMs(): number;
  isSpent(): boolean;
}

export function startBudget(limits: BudgetLimits): Budget {
  const startedAt = performance.now();
  let usedMs = 0;
  let depth = 0;
  const cpu: Cpu = {
    run(work) {
      // Only the outermost call counts, or nested work would count twice.
      const from = performance.now();
      depth++;
      try {
        return work();
      } finally {
        depth--;
        if (depth === 0) usedMs += performance.now() - from;
      }
    },
    add(ms) {
      usedMs += ms;
    },
    get usedMs() {
      return usedMs;
    },
  };
  const elapsedMs = () => performance.now() - startedAt;
  return { cpu, elapsedMs, isSpent: () => usedMs >= limits.cpuMs || elapsedMs() >= limits.wallMs };
}
