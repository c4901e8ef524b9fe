import { assertEquals, assertRejects } from "@std/assert";
import type { Slice } from "../../../shared/jobs/slice.ts";
import type { Sql } from "../../../shared/jobs/connect.ts";
import { runLanes } from "../../../shared/imports/run_lanes.ts";

/** What lanes know of a slice: sessions, of which no lane asks anything here, and a budget. */
function sliceOf({ second = () => Promise.resolve(), spent = false }: {
  second?: () => Promise<unknown>;
  spent?: boolean;
}): Slice {
  const sql = (() => Promise.resolve()) as unknown as Sql;
  return { sql, second: second as unknown as Sql, shouldStop: () => spent } as unknown as Slice;
}

/** Hands out the numbers up to `last`. */
function numbers(last: number): () => Promise<number | null> {
  let taken = 0;
  return () => Promise.resolve(taken < last ? ++taken : null);
}

Deno.test("runLanes() runs every part once and tells the end", async () => {
  const done: number[] = [];
  const run = (part: number) => Promise.resolve(void done.push(part));
  assertEquals(await runLanes(sliceOf({}), { two: true, take: numbers(9), run }), true);
  assertEquals(done.toSorted((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("runLanes() runs one part at least, and ends with the budget or when it is enough", async () => {
  const done: number[] = [];
  const run = (part: number) => Promise.resolve(void done.push(part));
  assertEquals(await runLanes(sliceOf({ spent: true }), { two: true, take: numbers(9), run }), false);
  assertEquals(done, [1]);
  const isEnough = () => done.length === 4;
  assertEquals(await runLanes(sliceOf({}), { two: false, take: numbers(9), run, isEnough }), false);
  assertEquals(done, [1, 1, 2, 3]);
});

Deno.test("runLanes() throws a lane's failure though the other's session never opens", async () => {
  const second = () => new Promise<never>(() => {});
  const run = () => Promise.reject(new Error("no right"));
  await assertRejects(
    () => runLanes(sliceOf({ second }), { two: true, take: numbers(9), run }),
    Error,
    "no right",
  );
});

Deno.test("runLanes() throws what failed first, after both lanes have ended", async () => {
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const lanes = runLanes(sliceOf({}), {
    two: true,
    take: numbers(9),
    async run(part) {
      if (part === 2) {
        one.resolve();
        throw new Error("the second");
      }
      await one.promise;
      await two.promise;
      throw new Error("the first, later");
    },
  });
  await one.promise;
  two.resolve();
  await assertRejects(() => lanes, Error, "the second");
});
