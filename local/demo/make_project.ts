/**
 * A made-up construction project, the same for the same seed. In: how much of it. Out: its drawing register and its
 * components as an engineer would list them: line by line, each drawing in one area, system and test package.
 */
import { type Random, seededRandom } from "./seeded_random.ts";

export interface Drawing {
  number: string;
  revision: string;
  title: string;
}

export interface Component {
  tag: string;
  description: string;
  type: string;
  drawing: string;
  area: string;
  system: string;
  test_package: string;
  spec: string;
  size: string;
  quantity: number;
  weight_kg: number;
}

export interface MakeProjectOptions {
  /** @default 400 */
  drawings?: number;
  /** @default 20000 */
  components?: number;
  /** @default 7 */
  seed?: number;
}

interface Line {
  drawing: string;
  number: string;
  area: string;
  system: string;
  test_package: string;
  spec: string;
  inches: number;
}

const SYSTEMS = [
  { code: "CW", name: "Cooling water", spec: "A1A" },
  { code: "FW", name: "Fire water", spec: "A2G" },
  { code: "IA", name: "Instrument air", spec: "A1S" },
  { code: "LO", name: "Lube oil", spec: "A3S" },
  { code: "ST", name: "Steam, medium pressure", spec: "C1A" },
  { code: "CD", name: "Condensate", spec: "A1C" },
  { code: "NG", name: "Fuel gas", spec: "B2A" },
] as const;
const TITLES = [
  "supply header",
  "return header",
  "pump suction",
  "pump discharge",
  "bypass",
  "drain",
  "vent",
];
const INCHES = [1, 2, 3, 4, 6, 8, 10, 12, 16];
/** How often each kind stands on a drawing, of 50. */
const KINDS: { type: string; prefix: string; share: number; describe(line: Line, random: Random): string }[] =
  [
    {
      type: "spool",
      prefix: "SP",
      share: 12,
      describe: ({ inches }) => `${inches}" pipe spool, carbon steel`,
    },
    {
      type: "support",
      prefix: "PS",
      share: 11,
      describe: (_, random) => `Support, ${random.pick(["shoe", "guide", "anchor", "spring hanger"])}`,
    },
    { type: "gasket", prefix: "GK", share: 9, describe: ({ inches }) => `${inches}" spiral wound gasket` },
    { type: "flange", prefix: "FL", share: 6, describe: ({ inches }) => `${inches}" weld neck flange` },
    {
      type: "valve",
      prefix: "VL",
      share: 6,
      describe: ({ inches }, random) => `${inches}" ${random.pick(["gate", "globe", "ball", "check"])} valve`,
    },
    {
      type: "fitting",
      prefix: "FT",
      share: 4,
      describe: ({ inches }, random) =>
        `${inches}" ${random.pick(["elbow 90", "elbow 45", "tee", "reducer"])}`,
    },
    {
      type: "instrument",
      prefix: "IN",
      share: 2,
      describe: (_, random) =>
        random.pick(["Pressure gauge", "Temperature element", "Flow meter", "Level switch"]),
    },
  ];

export function makeProject(
  { drawings = 400, components = 20_000, seed = 7 }: MakeProjectOptions = {},
): { drawings: Drawing[]; components: Component[] } {
  const random = seededRandom(seed);
  const lines = Array.from({ length: drawings }, (_, place) => makeLine(place, random));
  const list: Component[] = [];
  // As even as it goes: the first drawings have one more.
  lines.forEach((line, place) => {
    const count = Math.floor(components / drawings) + (place < components % drawings ? 1 : 0);
    for (let number = 1; number <= count; number++) list.push(makeComponent(line, { number, random }));
  });
  return { drawings: lines.map((line) => makeDrawing(line, random)), components: list };
}

function makeLine(place: number, random: Random): Line {
  const { code, spec } = random.pick(SYSTEMS);
  const area = 110 + 10 * Math.floor(place / 40);
  const sheet = String((place % 40) + 1).padStart(3, "0");
  return {
    drawing: `ISO-${area}-${code}-${sheet}`,
    number: `${area}${sheet}`,
    area: `A-${area}`,
    system: `${code}-0${1 + random.below(3)}`,
    test_package: `TP-${code}-${area}-${1 + Math.floor((place % 40) / 8)}`,
    spec,
    inches: random.pick(INCHES),
  };
}

function makeDrawing({ drawing, system }: Line, random: Random): Drawing {
  const code = system.slice(0, 2);
  const name = SYSTEMS.find((each) => each.code === code)?.name ?? code;
  return {
    number: drawing,
    revision: random.pick(["0", "1", "2", "A"]),
    title: `${name}, ${random.pick(TITLES)}`,
  };
}

function makeComponent(line: Line, { number, random }: { number: number; random: Random }): Component {
  const kind = kindAt(random.below(50));
  const single = kind.type !== "gasket" && kind.type !== "support";
  return {
    tag: `${kind.prefix}-${line.number}-${String(number).padStart(3, "0")}`,
    description: kind.describe(line, random),
    type: kind.type,
    drawing: line.drawing,
    area: line.area,
    system: line.system,
    test_package: line.test_package,
    spec: line.spec,
    size: `${line.inches}"`,
    quantity: single ? 1 : 1 + random.below(4),
    weight_kg: kind.type === "gasket"
      ? 0.4
      : Math.round(line.inches * (5 + random.below(240) / 10) * 10) / 10,
  };
}

function kindAt(share: number): typeof KINDS[number] {
  let sum = 0;
  for (const kind of KINDS) if (share < (sum += kind.share)) return kind;
  throw new RangeError(`Cannot choose a kind: found the share ${share}, expected less than ${sum}`);
}
