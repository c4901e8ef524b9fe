/** A dataset as the API publishes it. */
import type { Dataset } from "./dataset.ts";

export function describeDataset(dataset: Dataset) {
  return {
    name: dataset.name,
    title: dataset.title,
    columns: dataset.columns.map((column) => ({
      name: column.name,
      title: column.title,
      type: column.type,
      required: column.required ?? false,
      headings: [column.title, ...column.headings ?? []],
      example: column.example,
      ...(column.values ? { values: column.values } : {}),
    })),
    key: dataset.columns.filter((column) => dataset.key.includes(column.target ?? column.name)).map((
      { name },
    ) => name),
    modes: dataset.modes,
  };
}
