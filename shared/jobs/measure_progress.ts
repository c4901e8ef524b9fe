/**
 * Progress as clients see it, made of what a handler knows: which phase, how much of how much. Adds percent, speed and
 * the time to go, from what this slice has done of the phase. It sends nothing.
 */
import type { JobProgress } from "./job.ts";

export interface ProgressReport {
  phase: string;
  done: number;
  /** @default null: not known */
  total?: number | null;
  /** @default "rows" */
  unit?: string;
  /** Rows done, where the unit is another. @default done */
  rows?: number;
  /** Bytes of the file that is written. @default not said */
  bytes?: number;
}

/** Returns a function that remembers where and when each phase began in this slice. */
export function measureProgress(
  now: () => number = () => performance.now(),
): (report: ProgressReport) => JobProgress {
  let began: { phase: string; done: number; rows: number; at: number } | null = null;
  return ({ phase, done, total = null, unit = "rows", rows = done, bytes }) => {
    const at = now();
    if (began?.phase !== phase || done < began.done) began = { phase, done, rows, at };
    const seconds = (at - began.at) / 1000;
    const perSecond = seconds > 0 ? (done - began.done) / seconds : 0;
    return {
      phase,
      done,
      total,
      unit,
      percent: total === null
        ? null
        : total === 0
        ? 100
        : Math.min(100, Math.floor((1000 * done) / total) / 10),
      rows_per_second: seconds > 0 ? Math.round((rows - began.rows) / seconds) : 0,
      eta_seconds: total === null || perSecond <= 0 ? null : Math.ceil(Math.max(0, total - done) / perSecond),
      ...(bytes === undefined ? {} : { bytes }),
    };
  };
}
