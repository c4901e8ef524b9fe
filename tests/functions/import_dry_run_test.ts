/**
 * The promise of a check: what it says would happen is what the commit does. Held with files made by chance, against the
 * real table and against targets whose rows affect each other.
 *   LONGSHORE_SEED=n    the first file; the others count up. @default random
 *   LONGSHORE_ROUNDS=n  how many files. @default 12
 */
import { assertEquals } from "@std/assert";
import { type Importer, importer, labStack, type Outcome } from "../helpers/imports.ts";
import { type Random, seededRandom } from "../helpers/random.ts";

const ROUNDS = Number(Deno.env.get("LONGSHORE_ROUNDS") ?? 12);
const FIRST_SEED = Number(
  Deno.env.get("LONGSHORE_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000,
);
const MODES = ["insert", "upsert", "update"] as const;

const stack = await labStack();

/** Few tags, so that rows meet each other and what is there. */
function componentRow(random: Random): string {
  const tag = random.chance(0.03) ? "" : `T-${random.int(0, 60)}`;
  const type = random.chance(0.06) ? "spoool" : random.pick(["spool", "valve", "Field Weld"]);
  const drawing = random.chance(0.08) ? "D-9" : random.pick(["D-1", "D-2"]);
  const quantity = random.chance(0.1)
    ? random.pick(["0", "-1", "many", "1,234"])
    : random.pick(["", "1", "2"]);
  const description = random.chance(0.3)
    ? ""
    : random.pick(['"4"" pipe"', '"two\nlines"', "plain", " padded "]);
  const cells = [tag, type, drawing, quantity, description];
  return random.chance(0.04) ? cells.slice(0, 3).join(",") : cells.join(",");
}

function componentsFile(random: Random, rowCount: number): string {
  const rows = Array.from({ length: rowCount }, () => componentRow(random));
  return ["Tag,Type,Drawing,Quantity,Description", ...rows, ""].join("\n");
}

async function table(it: Importer): Promise<Map<string, string>> {
  return new Map((await it.components()).map((row) => [String(row.tag), JSON.stringify(row)]));
}

interface Would {
  insert: number;
  update: number;
  unchanged: number;
}

async function holdPromise(
  it: Importer,
  check: Outcome,
  policy: "valid_rows" | "all_or_nothing",
): Promise<void> {
  assertEquals(check.job.error, null);
  const { rows, valid, invalid, would } = check.job.result as Record<string, number> & { would: Would };
  assertEquals(would.insert + would.update + would.unchanged, valid);
  assertEquals(valid! + invalid!, rows);
  assertEquals(new Set(check.problems.map(({ row }) => row)).size, invalid);
  const commit = await it.commit(check, { policy });
  assertEquals([commit.job.error, commit.problems], [null, []]);
  assertEquals(commit.job.result, {
    inserted: would.insert,
    updated: would.update,
    unchanged: would.unchanged,
    skipped: invalid,
    failed: 0,
  });
}

Deno.test("a commit does what its check has promised, whatever the file, the mode and the table", async (t) => {
  await using it = await importer(stack);
  for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
    const random = seededRandom(seed);
    const mode = MODES[seed % 3]!;
    await t.step(`${mode} (LONGSHORE_SEED=${seed} LONGSHORE_ROUNDS=1)`, async () => {
      await it.set({ chunk_rows: random.pick([1, 7, 25, 5000]) });
      const file = componentsFile(random, random.int(1, 90));
      if (mode !== "insert" || random.chance(0.5)) {
        const there = await it.check(componentsFile(random, 40), { options: { mode: "upsert" } });
        await it.commit(there, { policy: "valid_rows" });
      } else {
        await it.admin`delete from pipetrak.components where project_id = ${it.projectId}`;
      }
      await it.set({ chunk_rows: random.pick([1, 7, 25, 5000]) });
      const before = await table(it);
      const check = await it.check(file, { options: { mode, decimal: "." } });
      assertEquals(await table(it), before);
      await holdPromise(it, check, "valid_rows");

      const after = await table(it);
      const { would } = check.job.result as { would: Would };
      assertEquals(after.size - before.size, would.insert);
      const changed = [...before].filter(([tag, row]) => after.get(tag) !== row).length;
      assertEquals(changed, would.update);
      const preview = check.job.result?.preview as { tag: string; quantity: number | null }[];
      assertEquals(preview.length, Math.min(20, would.insert + would.update));
      for (const { tag, quantity } of preview) {
        const row = JSON.parse(after.get(tag) ?? "{}");
        assertEquals([row.tag, row.quantity === null ? null : Number(row.quantity)], [tag, quantity]);
      }
    });
  }
  await it.set({ chunk_rows: 5000 });
});

interface Target {
  dataset: string;
  headings: string;
  row: (random: Random, n: number) => string;
}

const TARGETS: Target[] = [
  {
    dataset: "lab.stretches",
    headings: "Name,First,Last",
    row: (random, n) => {
      const first = random.int(0, 90);
      return `S${random.chance(0.1) ? 0 : n},${first},${
        random.chance(0.1) ? first - 1 : first + random.int(0, 9)
      }`;
    },
  },
  {
    dataset: "lab.nodes",
    headings: "Name,Parent",
    row: (random, n) => `N${n},${random.chance(0.4) ? "" : `N${random.int(0, n + 3)}`}`,
  },
  { dataset: "lab.seats", headings: "Name", row: (random) => `P${random.int(0, 9)}` },
];

for (const { dataset, headings, row } of TARGETS) {
  Deno.test(`a check is exact where rows of ${dataset} affect each other across chunks`, async (t) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + Math.ceil(ROUNDS / 4); seed++) {
      const random = seededRandom(seed);
      await t.step(`(LONGSHORE_SEED=${seed} LONGSHORE_ROUNDS=1)`, async () => {
        await using it = await importer(stack);
        await it.admin`delete from ${it.admin(dataset)}`;
        const chunk_rows = random.pick([1, 4, 10]);
        await it.set({ chunk_rows });
        const file = [headings, ...Array.from({ length: 25 }, (_, n) => row(random, n)), ""].join("\n");
        const check = await it.check(file, { dataset });
        assertEquals(check.job.result?.guarantee, "exact");
        assertEquals((await it.admin`select from ${it.admin(dataset)}`).length, 0);
        await holdPromise(it, check, "valid_rows");
        const { would } = check.job.result as { would: Would };
        assertEquals((await it.admin`select from ${it.admin(dataset)}`).length, would.insert);
        await it.set({ chunk_rows: 5000 });
      });
    }
  });
}

Deno.test("a check says that it looked at each chunk by itself where the rows are too many for one transaction", async () => {
  await using it = await importer(stack);
  const file = `Name\n${["A", "B", "C", "D", "E", "F", "G"].join("\n")}\n`;
  await it.set({ chunk_rows: 3, one_transaction_rows: 6 });
  const check = await it.check(file, { dataset: "lab.seats" });
  assertEquals([check.job.result?.guarantee, check.job.result?.valid], ["per_chunk", 7]);
  // What the check could not see, the commit does, and tells.
  const commit = await it.commit(check, { policy: "valid_rows" });
  assertEquals(commit.job.result, { inserted: 5, updated: 0, unchanged: 0, skipped: 0, failed: 2 });
  assertEquals(commit.problems.map(({ row, code }) => [row, code]), [[7, "rule_violated"], [
    8,
    "rule_violated",
  ]]);

  await it.admin`delete from lab.seats`;
  await it.set({ one_transaction_rows: 7 });
  const exact = await it.check(file, { dataset: "lab.seats" });
  assertEquals([exact.job.result?.guarantee, exact.job.result?.valid], ["exact", 5]);
  // Where rows cannot affect each other, chunks are exact.
  await it.set({ one_transaction_rows: 1 });
  const components = await it.check("Tag,Type,Drawing\nA,spool,D-1\nB,spool,D-1\n");
  assertEquals(components.job.result?.guarantee, "exact");
  await it.set({ chunk_rows: 5000, one_transaction_rows: 1_000_000 });
});

Deno.test("a check in one transaction ends at stop_after_problems, and does so again when it is retried", async () => {
  await using it = await importer(stack);
  await it.set({ chunk_rows: 3 });
  // Five seats; the next rows are refused, and the last ones are never tried.
  const file = `Name\n${Array.from({ length: 15 }, (_, n) => `N${n}`).join("\n")}\n`;
  const check = await it.check(file, { dataset: "lab.seats", options: { stop_after_problems: 2 } });
  const message = "Cannot go on with the check: found 4 rows with problems, expected fewer than 2";
  assertEquals([check.job.state, check.job.error?.code, check.job.error?.message], [
    "failed",
    "too_many_problems",
    message,
  ]);
  assertEquals(
    check.problems.map(({ row, code }) => [row, code]),
    [7, 8, 9, 10].map((row) => [row, "rule_violated"]),
  );

  const { error } = await it.person.client.schema("jobs").rpc("retry_job", { job_id: check.job.id });
  assertEquals(error, null);
  const again = await it.follow(check.job.id);
  assertEquals([again.job.error?.message, again.problems.length], [message, 4]);
  // At the last row of the file too.
  const last = await it.check("Name\nA\nB\nC\nD\nE\nF\n", {
    dataset: "lab.seats",
    options: { stop_after_problems: 1 },
  });
  assertEquals(last.job.error?.code, "too_many_problems");
  await it.set({ chunk_rows: 5000 });
});

Deno.test("a check leaves nothing behind in the target, not even for those who read while it runs", async () => {
  await using it = await importer(stack);
  const milestones = async () =>
    (await it.admin`select count(*)::integer as n from pipetrak.component_milestones m
    join pipetrak.components c on c.id = m.component_id where c.project_id = ${it.projectId}`)[0]?.n;
  const seen: number[] = [];
  let over = false;
  const watching = (async () => {
    while (!over) seen.push((await it.components()).length + (await milestones()));
  })();
  const rows = Array.from({ length: 2000 }, (_, n) => `T-${n},spool,D-1,1,\n`).join("");
  const check = await it.check(`Tag,Type,Drawing,Quantity,Description\n${rows}`);
  over = true;
  await watching;
  assertEquals([check.job.result?.valid, Math.max(...seen)], [2000, 0]);
});
