import { assert, assertEquals, assertThrows } from "@std/assert";
import { startBudget } from "../../../shared/jobs/budget.ts";

Deno.test("startBudget() counts synchronous work once, however it is nested, and whatever it throws", () => {
  const { cpu } = startBudget({ cpuMs: 1000, wallMs: 1000 });
  const spin = (ms: number) => {
    for (const from = performance.now(); performance.now() - from < ms;);
  };
  const from = performance.now();
  cpu.run(() => cpu.run(() => spin(5)));
  assertThrows(() =>
    cpu.run(() => {
      spin(5);
      throw new Error("stop");
    })
  );
  assert(cpu.usedMs >= 10);
  assert(cpu.usedMs <= performance.now() - from);
});

Deno.test("startBudget() is spent by CPU time or by the wall, whichever comes first", () => {
  const byCpu = startBudget({ cpuMs: 10, wallMs: 60_000 });
  assertEquals(byCpu.isSpent(), false);
  byCpu.cpu.add(10);
  assertEquals(byCpu.isSpent(), true);
  assertEquals(startBudget({ cpuMs: 10, wallMs: 0 }).isSpent(), true);
});

Deno.test("startBudget() counts what other slices of the isolate use, where it is told to", () => {
  const limits = { cpuMs: 1_000_000, wallMs: 1_000_000 };
  const [together, alone, other] = [
    startBudget({ ...limits, isolateCpuMs: 6_000 }),
    startBudget(limits),
    startBudget(limits),
  ];
  other.cpu.add(6_000);
  assertEquals([together.isSpent(), alone.isSpent()], [true, false]);
});

Deno.test("startBudget() leaves a slice two fifths of what its isolate may use: a platform that still sends it work knows better", () => {
  const limits = { cpuMs: 1_000_000, wallMs: 1_000_000, isolateCpuMs: 6_000 };
  startBudget(limits).cpu.add(60_000);
  const { cpu, isSpent } = startBudget(limits);
  cpu.add(2_399);
  assertEquals(isSpent(), false);
  cpu.add(1);
  assertEquals(isSpent(), true);
});
