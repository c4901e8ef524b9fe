/** What a bench is, so that `run.ts` can list, run and print any. */

export interface BenchOptions {
  /** Rows of the files that the bench makes; each says what it makes of the number. */
  rows: number;
  /** How often each step is measured; figures are medians. */
  rounds: number;
}

export interface Table {
  title: string;
  headings: readonly string[];
  rows: readonly (readonly string[])[];
  /** What the figures compare with, settings, and what was seen beside them; one line each. */
  notes: readonly string[];
}

export interface Bench {
  name: string;
  title: string;
  /** Takes many minutes, and therefore runs only when it is named. @default false */
  slow?: boolean;
  run(options: BenchOptions): Promise<Table>;
}
