/** Chance that comes out the same every time. In: a seed. Out: draws; each call moves on. */

export interface Random {
  /** A whole number from 0 up to, but not including, `limit`. */
  below(limit: number): number;
  /** One of them; each as likely as the others. */
  pick<T>(from: readonly T[]): T;
}

/** Mulberry32: small, and even enough for made-up data. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  const pick = <T>(from: readonly T[]): T => {
    if (from.length === 0) throw new RangeError("Cannot pick: found an empty list, expected a value");
    return from[below(from.length)] as T;
  };
  return { below, pick };
}
