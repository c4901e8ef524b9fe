/** Where this project's readers see something else than the independent ones, and why that is meant. */

export interface MeantDifference {
  file: RegExp;
  /** Of `place: own value | other value`. */
  difference: RegExp;
  why: string;
}

export const MEANT: MeantDifference[] = [];
