/** docs/adding-a-dataset.md, followed word by word. */
import { followSteps } from "./_follow_steps.ts";

Deno.test("docs/adding-a-dataset.md leads from a table to a test that passes", async () => {
  await followSteps("docs/adding-a-dataset.md", {
    languages: ["sql", "sql", "ts", "diff", "ts"],
    check: "shared/domains/datasets.ts",
  });
});
