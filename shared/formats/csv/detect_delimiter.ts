/**
 * Which delimiter gives a text's records the most regular columns. It reads the text with the real parser
 * once for every candidate, so that quoted delimiters do not count. Text in one column has a comma, by
 * convention.
 */
import { type Records, RecordScanner } from "./record_scanner.ts";

/**
 * The first wins where two are as good as each other. The comma comes last: it also stands in numbers (`1,50`) and in
 * texts, and so it can cut records as regularly as the delimiter does.
 */
const CANDIDATES = [";", "\t", "|", ","];

/** Records are enough to know a file by. */
const SAMPLE_ROWS = 500;

interface Score {
  /** The share of the records that have the commonest number of columns above one. */
  regular: number;
  columns: number;
}

/** `text` is the start of a file, preferably whole lines. */
export function detectDelimiter(text: string): string {
  let best = ",";
  let bestScore: Score = { regular: 0, columns: 0 };
  for (const delimiter of CANDIDATES) {
    const score = scoreOf(text, delimiter);
    const better = score.regular - bestScore.regular || score.columns - bestScore.columns;
    if (better > 0) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

function scoreOf(text: string, delimiter: string): Score {
  const records: Records = { rows: [], rowNumbers: [], lines: [], flaws: null };
  // Row 1, since only a whole file can be refused for its first record.
  const scanner = new RecordScanner({ delimiter, maxRecordLength: text.length, row: 1, line: 1 });
  scanner.feed(text, { final: true });
  scanner.scan(records, { rows: SAMPLE_ROWS, length: Infinity });

  const counts = new Map<number, number>();
  for (const { length } of records.rows) {
    if (length > 1) counts.set(length, (counts.get(length) ?? 0) + 1);
  }
  let best: Score = { regular: 0, columns: 0 };
  for (const [columns, count] of counts) {
    const regular = count / records.rows.length;
    if (regular > best.regular || (regular === best.regular && columns > best.columns)) {
      best = { regular, columns };
    }
  }
  return best;
}
