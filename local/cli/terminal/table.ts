/**
 * A table for a terminal. In: headings, rows and the width there is. Out: lines; the last column takes what is left and
 * is wrapped there, the others are cut where they must be. Colours in cells do not count as width.
 */
import { dim } from "@std/fmt/colors";

export interface TableColumn {
  heading: string;
  /** @default "left" */
  align?: "left" | "right";
  /** Characters at most. @default as wide as its widest cell */
  maxWidth?: number;
}

export interface TableOptions {
  /** Columns of the terminal. */
  width: number;
  /** Spaces before each line. @default 2 */
  indent?: number;
}

const GAP = "  ";
const LEAST_LAST = 20;

export function tableLines(
  { columns, rows }: { columns: TableColumn[]; rows: string[][] },
  { width, indent = 2 }: TableOptions,
): string[] {
  const widths = columns.map((column, place) => {
    const cells = [column.heading, ...rows.map((row) => row[place] ?? "")];
    return Math.min(column.maxWidth ?? Infinity, Math.max(...cells.map(visibleLength)));
  });
  const last = columns.length - 1;
  const taken = indent + widths.slice(0, last).reduce((sum, each) => sum + each + GAP.length, 0);
  widths[last] = Math.max(LEAST_LAST, Math.min(widths[last] ?? 0, width - taken - 1));

  const line = (cells: string[], style: (text: string) => string): string[] => {
    const parts = wrap(cells[last] ?? "", widths[last] ?? LEAST_LAST);
    return parts.map((part, number) => {
      const shown = cells.slice(0, last).map((cell, place) =>
        pad(number === 0 ? cut(cell, widths[place] ?? 0) : "", widths[place] ?? 0, columns[place]?.align)
      );
      return style((" ".repeat(indent) + [...shown, part].join(GAP)).trimEnd());
    });
  };
  return [
    ...line(columns.map((column) => column.heading), dim),
    ...rows.flatMap((row) => line(row, (text) => text)),
  ];
}

/** Words on lines of at most so many characters; a longer word is broken. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (let word of text.split(/\s+/)) {
    if (current && current.length + 1 + word.length <= width) {
      current += ` ${word}`;
      continue;
    }
    if (current) lines.push(current);
    for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width));
    current = word;
  }
  return [...lines, current];
}

function cut(text: string, width: number): string {
  return visibleLength(text) <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function pad(text: string, width: number, align: TableColumn["align"] = "left"): string {
  const space = " ".repeat(Math.max(0, width - visibleLength(text)));
  return align === "right" ? space + text : text + space;
}

// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[0-9;]*m/g;

function visibleLength(text: string): number {
  return text.replace(COLOURS, "").length;
}
