/** The columns of the demo's files, under the headings that an engineer gave them. */
import type { Component } from "./make_project.ts";

export const COMPONENT_COLUMNS: readonly { heading: string; name: keyof Component; width: number }[] = [
  { heading: "Tag No", name: "tag", width: 16 },
  { heading: "Description", name: "description", width: 28 },
  { heading: "Type", name: "type", width: 12 },
  { heading: "Drawing No", name: "drawing", width: 16 },
  { heading: "Area", name: "area", width: 9 },
  { heading: "System", name: "system", width: 9 },
  { heading: "Test Pack", name: "test_package", width: 14 },
  { heading: "Pipe Class", name: "spec", width: 11 },
  { heading: "NPS", name: "size", width: 7 },
  { heading: "Qty", name: "quantity", width: 6 },
  { heading: "Weight (kg)", name: "weight_kg", width: 12 },
];
