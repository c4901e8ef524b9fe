/** One reader of the metrics, again and again. In: until when. Out: how long each read took, in milliseconds. */
import type { MetricsSite } from "./open_metrics_site.ts";

export async function readWhile(site: MetricsSite, goOn: () => boolean): Promise<number[]> {
  const times: number[] = [];
  do {
    const from = performance.now();
    await site.readTiles();
    times.push(performance.now() - from);
  } while (goOn());
  return times;
}
