import { assertEquals } from "@std/assert";
import { measureProgress } from "../../../shared/jobs/measure_progress.ts";

Deno.test("measureProgress() tells speed and time to go from what this slice has done of a phase", () => {
  let now = 0;
  const measure = measureProgress(() => now);
  assertEquals(measure({ phase: "reading", done: 1000, total: 4000 }), {
    phase: "reading",
    done: 1000,
    total: 4000,
    unit: "rows",
    percent: 25,
    rows_per_second: 0,
    eta_seconds: null,
  });
  now = 2000;
  const second = measure({ phase: "reading", done: 2000, total: 4000 });
  assertEquals([second.percent, second.rows_per_second, second.eta_seconds], [50, 500, 4]);
  const next = measure({ phase: "writing", done: 10 });
  assertEquals([next.total, next.percent, next.rows_per_second, next.eta_seconds], [null, null, 0, null]);
});

Deno.test("measureProgress() calls nothing to do done", () => {
  assertEquals(measureProgress()({ phase: "reading", done: 0, total: 0 }).percent, 100);
});

Deno.test("measureProgress() counts rows a second also where the amount is in bytes", () => {
  let now = 0;
  const measure = measureProgress(() => now);
  measure({ phase: "reading", done: 0, total: 1000, unit: "bytes", rows: 0 });
  now = 1000;
  const next = measure({ phase: "reading", done: 500, total: 1000, unit: "bytes", rows: 20 });
  assertEquals([next.rows_per_second, next.eta_seconds, next.percent], [20, 1, 50]);
});
