/**
 * A job's progress on standard error, so that standard output is for results. In: a label and the job's progress, as
 * often as it comes. Out: one line that is drawn again where a person watches, else a line now and then.
 */
import { bold, cyan, dim, green, red } from "@std/fmt/colors";
import type { JobProgress } from "../../../shared/client/mod.ts";
import { bytesText, countText, secondsText } from "./quantities.ts";
import { terminalWidth } from "./terminal_width.ts";

export interface ProgressBar {
  /** A text beside the label until the next progress comes. */
  note(text: string): void;
  show(progress: JobProgress): void;
  /** Ends the line with how it went. */
  end(text: string, options?: { failed?: boolean }): void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 80;
const LABEL_WIDTH = 10;
/** Between two lines of a log. */
const LINE_MS = 2_000;

export function startProgressBar(label: string): ProgressBar {
  const live = Deno.stderr.isTerminal();
  let progress: JobProgress | null = null;
  let note = "";
  let frame = 0;
  let lastLine = { phase: "", at: -Infinity };
  const draw = () => write(`\r\x1b[K${liveLine()}`);
  const timer = live ? setInterval(() => (frame++, draw()), FRAME_MS) : undefined;
  if (live) {
    write("\x1b[?25l");
    draw();
  }

  return {
    note(text) {
      note = text;
      progress = null;
      if (live) draw();
      else write(`${label}: ${text}\n`);
    },
    show(next) {
      progress = next;
      if (live) return draw();
      const now = performance.now();
      if (next.phase === lastLine.phase && now - lastLine.at < LINE_MS) return;
      lastLine = { phase: next.phase, at: now };
      write(`${label}: ${factsOf(next).join(", ")}\n`);
    },
    end(text, { failed = false } = {}) {
      clearInterval(timer);
      const sign = failed ? red("✗") : green("✓");
      if (live) write(`\r\x1b[K  ${sign} ${bold(label.padEnd(LABEL_WIDTH))} ${text}\n\x1b[?25h`);
      else if (text !== note) write(`${label}: ${text}\n`);
    },
  };

  function liveLine(): string {
    const head = `  ${cyan(FRAMES[frame % FRAMES.length] ?? "")} ${bold(label.padEnd(LABEL_WIDTH))} `;
    const room = terminalWidth(Deno.stderr) - LABEL_WIDTH - 6;
    if (!progress) return head + dim(note.slice(0, room));
    const barWidth = room < 80 ? 8 : 24;
    const bar = progress.percent === null ? "" : `${barOf(progress.percent, barWidth)} `;
    const left = room - (bar ? barWidth + 1 : 0);
    // What matters least goes first where the line is short: the speed, then the amount.
    const facts = factsOf(progress);
    while (facts.length > 1 && facts.join("  ").length > left) facts.splice(facts.length > 2 ? 2 : 1, 1);
    return head + bar + dim(facts.join("  ").slice(0, left));
  }
}

/** Phase, how much of how much, how fast, how long still. */
function factsOf({ phase, done, total, unit, percent, rows_per_second, eta_seconds }: JobProgress): string[] {
  const amount = (count: number) => unit === "bytes" ? bytesText(count) : countText(count);
  const named = unit === "bytes" ? "" : ` ${unit}`;
  return [
    percent === null ? phase : `${phase} ${Math.floor(percent)} %`,
    ...(done > 0 || total ? [`${amount(done)}${total === null ? "" : `/${amount(total)}`}${named}`] : []),
    ...(rows_per_second > 0 ? [`${countText(rows_per_second)}${unit === "rows" ? "" : " rows"}/s`] : []),
    ...(eta_seconds ? [`${secondsText(eta_seconds).replace(".0", "")} left`] : []),
  ];
}

function barOf(percent: number, width: number): string {
  const filled = Math.round((Math.min(100, percent) / 100) * width);
  return cyan("█".repeat(filled)) + dim("░".repeat(width - filled));
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
