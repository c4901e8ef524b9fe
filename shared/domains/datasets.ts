/** Every dataset there is, and the one that a request names. */
import { LongshoreError } from "../errors.ts";
import type { Dataset } from "../imports/dataset.ts";
import { nearestName } from "../text/nearest_name.ts";
import { calls } from "./certus/datasets/calls.ts";
import { orders } from "./certus/datasets/orders.ts";
import { reservations } from "./certus/datasets/reservations.ts";
import { components } from "./pipetrak/datasets/components.ts";
import { drawings } from "./pipetrak/datasets/drawings.ts";

export const datasets: readonly Dataset[] = [
  components,
  drawings,
  calls,
  orders,
  reservations,
];

export function findDataset(name: string, among: readonly Dataset[] = datasets): Dataset {
  const dataset = among.find((candidate) => candidate.name === name);
  if (dataset) return dataset;
  const names = among.map((candidate) => candidate.name);
  const near = nearestName(name, names);
  throw new LongshoreError(
    "unknown_dataset",
    `Cannot find the dataset "${name}": ${
      near ? `the nearest is "${near}"` : `expected one of ${names.join(", ")}`
    }`,
    { details: { dataset: name, datasets: names } },
  );
}
