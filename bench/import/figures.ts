/**
 * Steps that were timed → the rows of a table, each with its ratio to another step and what it has to reach. The ratio is
 * that of the medians; the one of the fastest rounds beside it shows how much the machine was busy with other things.
 */
import type { Table } from "../bench.ts";
import type { Timings } from "../timings.ts";

export interface Figure {
  step: string;
  /** The step that its time is divided by. @default none */
  against?: string;
  /** The most that the ratio may be. */
  atMost?: number;
  rows: number;
  /** Times are those of fewer rows: multiply by this. @default 1 */
  scale?: number;
}

export const FIGURE_HEADINGS = ["step", "seconds", "rows/s", "ratio", "fastest", "target", "", "rounds"];

export function figureRows(timings: Timings, figures: readonly Figure[]): Table["rows"] {
  return figures.filter(({ step }) => timings.has(step)).map(({ step, against, atMost, rows, scale = 1 }) => {
    const seconds = timings.quantile(step) * scale / 1000;
    const ratio = against === undefined ? null : timings.ratio(step, against) * scale;
    return [
      step,
      seconds.toFixed(2),
      Math.round(rows / seconds).toLocaleString("en"),
      ratio === null ? "" : `${ratio.toFixed(2)} × ${against}`,
      against === undefined ? "" : (timings.ratio(step, against, 0) * scale).toFixed(2),
      atMost === undefined ? "" : `≤ ${atMost}`,
      ratio === null || atMost === undefined ? "" : ratio <= atMost ? "reached" : "MISSED",
      timings.all(step).map((ms) => (ms / 1000).toFixed(2)).join(" "),
    ];
  });
}
