/** docs/adding-a-report.md, followed word by word. */
import { followSteps } from "./_follow_steps.ts";

Deno.test("docs/adding-a-report.md leads from a view to a test that passes", async () => {
  await followSteps("docs/adding-a-report.md", {
    languages: ["sql", "sql", "ts", "diff", "ts"],
    check: "shared/domains/reports.ts",
  });
});
