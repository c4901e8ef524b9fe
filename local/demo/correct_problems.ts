/**
 * Somebody who corrects problems.csv. In: its text, and what is right in which row and column. Out: the file again, each
 * row with its right value; a row that nobody knows the answer to stays as it is.
 */
import Papa from "papaparse";
import type { Mistake } from "./break_rows.ts";

export interface Correction {
  text: string;
  corrected: number;
}

export function correctProblems(problemsCsv: string, mistakes: ReadonlyMap<number, Mistake>): Correction {
  const { data: [headings = [], ...rows] } = Papa.parse<string[]>(problemsCsv.replace(/^\ufeff/, ""), {
    skipEmptyLines: true,
  });
  const rowNumberAt = headings.indexOf("problem_row");
  let corrected = 0;
  for (const row of rows) {
    const mistake = mistakes.get(Number(row[rowNumberAt]));
    const at = mistake ? headings.indexOf(mistake.heading) : -1;
    if (!mistake || at < 0) continue;
    row[at] = mistake.right;
    corrected++;
  }
  return { text: Papa.unparse([headings, ...rows]) + "\r\n", corrected };
}
