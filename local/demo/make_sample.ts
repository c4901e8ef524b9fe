/** A small file to try the import with. In: the drawing register. Out: a CSV of five components, two of them wrong. */
import type { Drawing } from "./make_project.ts";

export function makeSample(drawings: Drawing[]): string {
  const [first, second] = drawings.map((drawing) => drawing.number);
  return [
    "Tag No,Description,Type,Drawing No,Qty,Weight (kg)",
    `NEW-001,6" pipe spool,spool,${first},1,120.5`,
    `NEW-002,6" gate valve,valve,${first},1,88`,
    `NEW-003,6" gate valve,vavle,${second},1,88`,
    `NEW-004,Spring hanger,support,${second},two,14.2`,
    `NEW-005,Pressure gauge,instrument,${second},1,0.9`,
    "",
  ].join("\n");
}
