/**
 * A request for an import, with everything that its dataset knows about it: the scope and the dataset's own options are
 * read by the dataset's schemas, and options nobody knows are refused with the nearest known name.
 */
import { z } from "zod";
import { findDataset } from "../domains/datasets.ts";
import { LongshoreError } from "../errors.ts";
import { parseInput } from "../http/read_body.ts";
import type { Dataset, Mode } from "./dataset.ts";
import { ImportOptions, type ImportRequest } from "./import_request.ts";
import { nearestName } from "../text/nearest_name.ts";

export interface ResolvedRequest {
  dataset: Dataset;
  scope: Record<string, unknown>;
  mode: Mode;
  options: ImportOptions;
}

export function resolveRequest(
  request: Pick<ImportRequest, "dataset" | "scope" | "options">,
  among?: readonly Dataset[],
): ResolvedRequest {
  const dataset = findDataset(request.dataset, among);
  const scope = parseInput({ scope: request.scope ?? {} }, z.object({ scope: dataset.scope })).scope;
  const options = request.options ?? {};
  const own = dataset.options ?? z.object({});
  const known = [...Object.keys(ImportOptions.shape), ...Object.keys(own.shape)];
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw new LongshoreError(
      "invalid_request",
      `Cannot use the option "${name}": ${
        near ? `the nearest is "${near}"` : `expected one of ${known.join(", ")}`
      }`,
      { details: { issues: [{ path: `options.${name}`, message: "unknown option" }] } },
    );
  }
  parseInput({ options }, z.object({ options: own }));
  const mode = options.mode ?? dataset.modes[0] ?? "insert";
  if (!dataset.modes.includes(mode)) {
    throw new LongshoreError(
      "invalid_request",
      `Cannot import "${dataset.name}" in the mode "${mode}": expected one of ${dataset.modes.join(", ")}`,
      {
        details: {
          issues: [{ path: "options.mode", message: `expected one of ${dataset.modes.join(", ")}` }],
        },
      },
    );
  }
  return { dataset, scope, mode, options };
}
