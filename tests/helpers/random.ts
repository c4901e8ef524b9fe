/** Chance that can be repeated. In: a seed. Out: numbers that are the same for the same seed (mulberry32). */

export interface Random {
  /** At least 0, less than 1. */
  next(): number;
  /** A whole number from `low` up to, but not including, `high`. */
  int(low: number, high: number): number;
  /** Whether something happens that happens in `share` of all cases. */
  chance(share: number): boolean;
  pick<T>(choices: readonly T[]): T;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low));
  return {
    next,
    int,
    chance: (share) => next() < share,
    pick(choices) {
      const choice = choices[int(0, choices.length)];
      if (choice === undefined) throw new RangeError("Cannot pick: found no choices, expected at least one");
      return choice;
    },
  };
}
