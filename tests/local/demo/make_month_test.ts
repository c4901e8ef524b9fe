import { assert, assertEquals } from "@std/assert";
import { makeMonth } from "../../../local/demo/make_month.ts";

const rowsOf = (csv: string) => csv.trimEnd().split("\n").slice(1).map((line) => line.split(","));

Deno.test("makeMonth() makes the same month for the same day, and every order and reservation of a call in it", () => {
  const month = makeMonth({ lastDay: "2026-03-31", days: 3 });
  assertEquals(month, makeMonth({ lastDay: "2026-03-31", days: 3 }));
  const calls = rowsOf(month.calls);
  const ids = new Set(calls.map(([id]) => id));
  assertEquals(ids.size, calls.length);
  for (const rows of [rowsOf(month.orders), rowsOf(month.reservations)]) {
    assert(rows.length > 0);
    for (const [, , call] of rows) assert(ids.has(call), call);
  }
  assertEquals([...new Set(calls.map(([, , startedAt]) => startedAt!.slice(0, 10)))], [
    "2026-03-29",
    "2026-03-30",
    "2026-03-31",
  ]);
});
