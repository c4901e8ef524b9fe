/**
 * Times of named steps over several rounds. A step is timed by the wall, once a round; what is told of it is the median,
 * and a ratio is the one of two medians of the same run.
 */
export class Timings {
  #times = new Map<string, number[]>();

  /** Runs a step and keeps how long it took. */
  async time<T>(step: string, work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await work();
    this.add(step, performance.now() - from);
    return result;
  }

  /** Keeps a time that was measured elsewhere, in milliseconds. */
  add(step: string, ms: number): void {
    const times = this.#times.get(step);
    if (times) times.push(ms);
    else this.#times.set(step, [ms]);
  }

  has(step: string): boolean {
    return this.#times.has(step);
  }

  /** All times of a step in milliseconds, in the order of the rounds. */
  all(step: string): readonly number[] {
    const times = this.#times.get(step);
    if (!times) throw new RangeError(`Cannot tell times: found no step "${step}"`);
    return times;
  }

  /** The time that a share of all rounds stay within, in milliseconds, between two of them if need be; 0.5 is the median. */
  quantile(step: string, share = 0.5): number {
    const sorted = this.all(step).toSorted((a, b) => a - b);
    const place = (sorted.length - 1) * share;
    const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
    return below + (above - below) * (place - Math.floor(place));
  }

  /** Of the medians, or of another quantile; 0 is the fastest rounds, which other work on the machine disturbs least. */
  ratio(step: string, reference: string, share = 0.5): number {
    return this.quantile(step, share) / this.quantile(reference, share);
  }
}
