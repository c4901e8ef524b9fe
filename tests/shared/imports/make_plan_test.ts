import { assertEquals } from "@std/assert";
import { makePlan } from "../../../shared/imports/make_plan.ts";
import { dataset } from "./_dataset.ts";

const OPTIONS = {
  mode: "upsert",
  scope: { project_id: "7" },
  options: {},
  fileIndex: [1, null, null, 0],
  headings: ["Bereich", "Mark"],
  sheet: "Parts",
} as const;

Deno.test("makePlan() says what the dataset, the scope and the mapping say", () => {
  const plan = makePlan(dataset, OPTIONS);
  assertEquals({ ...plan, columns: plan.columns.slice(0, 2) }, {
    target: "tests.parts",
    mode: "upsert",
    key: ["project_id", "tag"],
    fixed: { project_id: "7" },
    authorize: "tests.authorize",
    scope: { project_id: "7" },
    row_local_triggers: ["parts_touch"],
    sheet: "Parts",
    columns: [
      {
        name: "tag",
        title: "Tag",
        target: "tag",
        heading: "Mark",
        file_index: 1,
        mapped: true,
        required: true,
        sensitive: false,
      },
      {
        name: "description",
        title: "Description",
        target: "description",
        heading: null,
        file_index: null,
        mapped: false,
        required: false,
        sensitive: false,
      },
    ],
  });
});

Deno.test("makePlan() makes missing rows of a lookup only where the options say so", () => {
  const lookup = { table: "tests.areas", match: "name", value: "id", within: { project_id: "project_id" } };
  const area = (options: Record<string, unknown>) => makePlan(dataset, { ...OPTIONS, options }).columns[3];
  assertEquals(area({})?.lookup, { ...lookup, create: false });
  assertEquals(area({ create_areas: true })?.lookup, { ...lookup, create: true });
  assertEquals([area({})?.target, area({})?.sensitive], ["area_id", true]);
});
