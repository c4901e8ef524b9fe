import { assertEquals } from "@std/assert";
import type { RowBatch, RowReader } from "../../../shared/formats/reader.ts";
import { countHidden } from "../../../shared/imports/count_hidden.ts";

Deno.test("countHidden() goes on counting where the last slice left off", async () => {
  const batch = (row: number, hiddenCount?: number): RowBatch<{ row: number }> => ({
    rows: [],
    rowNumbers: [],
    lines: null,
    flaws: null,
    ...(hiddenCount === undefined ? {} : { hiddenCount }),
    cursor: { row },
    bytesRead: 0,
  });
  const reader: RowReader<{ row: number }> = {
    info: { format: "xlsx" },
    async *batches() {
      yield batch(1, 2);
      yield await Promise.resolve(batch(2));
      yield batch(3, 1);
    },
  };
  const cursorsOf = async (start?: { hiddenRows?: number }) => {
    const batches = await Array.fromAsync(countHidden(reader, start).batches());
    return batches.map(({ cursor }) => cursor);
  };
  assertEquals(await cursorsOf(), [{ row: 1, hiddenRows: 2 }, { row: 2, hiddenRows: 2 }, {
    row: 3,
    hiddenRows: 3,
  }]);
  assertEquals((await cursorsOf({ hiddenRows: 4 })).at(-1), { row: 3, hiddenRows: 7 });
});
