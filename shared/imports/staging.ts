/**
 * The only caller of the SQL of imports: staging, checking, writing, and what is told about it. Every call shows the
 * lease's token, or runs in a transaction that ends with a checkpoint which does.
 */
import type { Sql, Transaction } from "../jobs/connect.ts";
import type { Cpu } from "../jobs/budget.ts";
import type { Slice } from "../jobs/slice.ts";
import type { Plan } from "./make_plan.ts";

/** Stores the plan and answers the number of the staging tables. */
export async function prepareImport(sql: Sql, slice: Slice, plan: Plan): Promise<number> {
  const [row] = await sql<{ slot: number }[]>`
    select jobs_private.prepare_import(${slice.job.id}, ${slice.token}, ${
    JSON.stringify(plan)
  }::text::jsonb) as slot`;
  return row!.slot;
}

export interface CopyTarget {
  slot: number;
  /** How many columns the dataset has. */
  columnCount: number;
}

/** A COPY that is under way: the database takes in one piece while the next is made. */
export interface RowCopy {
  /** Sends text in COPY's format; resolves as soon as the piece before it is on its way. */
  write(text: string): Promise<void>;
  /** Resolves when the database has all rows. */
  end(): Promise<void>;
  /** Gives up; the transaction can only be rolled back. */
  abort(): void;
}

/** Opens a COPY into the staged rows; what sending them costs is counted as own work. */
export async function openRowCopy(sql: Transaction, target: CopyTarget, cpu: Cpu): Promise<RowCopy> {
  const cells = Array.from({ length: target.columnCount }, (_, place) => `c${place + 1}`).join(", ");
  return await openCopy(
    sql,
    `copy jobs_staging.rows_${target.slot} (row_number, line, raw, ${cells}) from stdin`,
    cpu,
  );
}

/** Pieces of text in COPY's format → staged problems; counted as own work, too. */
export async function copyProblems(
  sql: Transaction,
  target: CopyTarget,
  pieces: readonly string[],
  cpu: Cpu,
): Promise<void> {
  const columns = "row_number, column_index, code, message, value, phase";
  const copy = await openCopy(sql, `copy jobs_staging.problems_${target.slot} (${columns}) from stdin`, cpu);
  for (const piece of pieces) await copy.write(piece);
  await copy.end();
}

const encoder = new TextEncoder();

async function openCopy(sql: Transaction, statement: string, cpu: Cpu): Promise<RowCopy> {
  const query = sql.unsafe(statement);
  const writable = await query.writable();
  let sent: Promise<void> = Promise.resolve();
  const failed = new Promise<never>((_, reject) => {
    writable.once("error", reject);
    // What the database says after the last byte, postgres.js tells the query alone, which is settled already.
    Object.assign(query, { reject });
  });
  // Whoever writes or ends hears of it; nobody has to.
  failed.catch(() => {});
  return {
    async write(text) {
      await sent;
      if (text === "") return;
      sent = Promise.race([
        failed,
        new Promise<void>((resolve) =>
          cpu.run(() => {
            const bytes = encoder.encode(text);
            cpu.moved(bytes.length);
            writable.write(bytes, () => resolve());
          })
        ),
      ]);
      sent.catch(() => {});
    },
    async end() {
      await sent;
      await Promise.race([failed, new Promise<void>((resolve) => writable.end(() => resolve()))]);
    },
    abort() {
      writable.destroy(new Error("Reading has failed"));
    },
  };
}

/** Counts the staged rows, and the tables they are looked up in, so that the database finds them by their indexes. */
export async function analyzeImport(sql: Sql, slice: Slice): Promise<void> {
  await sql`select jobs_private.analyze_import(${slice.job.id}, ${slice.token})`;
}

/** Stages which rows have a key that stands more than once in the file; answers how many. */
export async function findDuplicates(sql: Transaction, slice: Slice): Promise<number> {
  const [row] = await sql<{ found: number }[]>`
    select jobs_private.find_duplicates(${slice.job.id}, ${slice.token}) as found`;
  return row!.found;
}

/** Marks every row up to `last` whose key an earlier valid row has. */
export async function markDuplicates(
  transaction: Transaction,
  { importId, last }: { importId: string; last: number },
): Promise<void> {
  await transaction`select jobs_private.mark_duplicates(${importId}, 1, ${last})`;
}

/** Completes the problems of a check with what does not exist either, and with the nearest names. */
export async function suggestReferences(sql: Transaction, slice: Slice): Promise<void> {
  await sql`select jobs_private.suggest_references(${slice.job.id}, ${slice.token})`;
}

/** Whether rows of one file can affect each other in the target, so that only one transaction tells the truth. */
export async function rowsTouchEachOther(sql: Sql, plan: Plan): Promise<boolean> {
  const [row] = await sql<{ touch: boolean }[]>`
    select jobs_private.rows_touch_each_other(
      ${plan.target}::regclass,
      ${plan.mode},
      ${literal(plan.key)}::text[],
      ${literal(plan.row_local_triggers)}::text[]
    ) as touch`;
  return row!.touch;
}

/** Counts of rows; when all rows are done, they add up to the staged rows. */
export interface Counts {
  inserted: number;
  updated: number;
  unchanged: number;
  /** Have had a problem before, or were not reached. */
  skipped: number;
  /** Have a new problem. */
  failed: number;
}

/** How far the steps of a check or a commit have come. */
export interface StepCursor {
  /** The last row number that was dealt with. */
  after: number;
  /** Rows dealt with. */
  done: number;
  counts: Counts;
  /** Whether the last chunk had new problems: the next one is classified before it is tried. */
  classify: boolean;
  /** The first rows as they would be written; at a check. */
  preview: Record<string, unknown>[];
  ended?: boolean;
}

/** Before the first step. */
export const NO_STEPS: StepCursor = {
  after: 0,
  done: 0,
  counts: { inserted: 0, updated: 0, unchanged: 0, skipped: 0, failed: 0 },
  classify: false,
  preview: [],
};

export interface StepOptions<C extends StepCursor> {
  /** The check whose staged rows are written. */
  importId: string;
  cursor: C;
  checking: boolean;
  /** Undo each chunk by itself. */
  undo: boolean;
  /** Rows of a chunk. @default the settings' */
  size?: number;
  /** Chunks in one call. @default 1 */
  chunks?: number;
}

export interface StepOutcome<C extends StepCursor> {
  cursor: C;
  /** New problems, as the database writes an array of them, where the transaction may be undone. */
  problems: string | null;
}

/**
 * The next chunks for real, as the owner; undone when checking. One call, since each costs a round trip. The transaction has
 * to end with a checkpoint.
 */
export async function importStep<C extends StepCursor>(
  sql: Transaction,
  slice: Slice,
  options: StepOptions<C>,
): Promise<StepOutcome<C>> {
  const { importId, checking, undo, size = slice.settings.chunk_rows, chunks = 1 } = options;
  const [row] = await sql<StepOutcome<C>[]>`
    select cursor, case when cardinality(problems) > 0 then problems::text end as problems
    from jobs_private.import_step(
      ${slice.job.id}, ${importId}, ${
    JSON.stringify(options.cursor)
  }::text::jsonb, ${size}, ${chunks}, ${checking}, ${undo})`;
  return row!;
}

/** Staged rows that one transaction of a commit writes. */
export interface WriteRange {
  /** The row number before the first, and the last. */
  after: number;
  last: number;
  rows: number;
  /** These rows and all that were taken before, as PostgreSQL writes a multirange of row numbers. */
  taken: string;
}

/** The first rows that are not taken yet; null where there are none. */
export async function nextRange(
  sql: Sql,
  { importId, taken, size }: { importId: string; taken: string; size: number },
): Promise<WriteRange | null> {
  const [row] = await sql<WriteRange[]>`
    select after_row as after, last_row as last, row_count as rows, taken
    from jobs_private.next_range(${importId}, ${taken}::text::int4multirange, ${size})`;
  return row ?? null;
}

export interface WriteRangeOptions<C extends StepCursor> {
  importId: string;
  range: WriteRange;
  /** The cursor of a commit that has saved none yet. */
  start: C;
}

/** Writes rows for good, as the owner; answers the cursor that was committed with them. */
export async function writeRange<C extends StepCursor>(
  sql: Sql,
  slice: Slice,
  { importId, range, start }: WriteRangeOptions<C>,
): Promise<C> {
  const [row] = await sql<{ cursor: C }[]>`
    select jobs_private.write_range(
      ${slice.job.id}, ${slice.token}, ${importId}, ${JSON.stringify(start)}::text::jsonb,
      ${range.after}, ${range.last}, ${range.rows}) as cursor`;
  return row!.cursor;
}

/** Whether two sessions may write rows of an import at the same time. */
export async function rangesAreIndependent(sql: Sql, importId: string): Promise<boolean> {
  const [row] = await sql<{ independent: boolean }[]>`
    select jobs_private.ranges_are_independent(${importId}) as independent`;
  return row!.independent;
}

export interface ProblemOptions {
  importId: string;
  checking: boolean;
}

/** Up to `size` staged rows behind `after`: the number of the last and how many they are; null behind the end. */
export async function nextRows(
  sql: Sql | Transaction,
  { importId, after, size }: { importId: string; after: number; size: number },
): Promise<{ last: number; rows: number } | null> {
  const [row] = await sql<{ last_row: number | null; row_count: number }[]>`
    select last_row, row_count from jobs_private.next_chunk(${importId}, ${after}, ${size})`;
  return row!.last_row === null ? null : { last: row!.last_row, rows: row!.row_count };
}

/** Rows by number: those of `first` to `last` were checked while `earlierFirst` to `first - 1` still were. */
export interface Overtaking {
  importId: string;
  earlierFirst: number;
  first: number;
  last: number;
}

/** Whether what has become of the earlier rows decides which of the later ones repeat a key. */
export async function earlierRowsDecide(transaction: Transaction, rows: Overtaking): Promise<boolean> {
  const [row] = await transaction<{ decide: boolean }[]>`
    select jobs_private.earlier_rows_decide(
      ${rows.importId}, ${rows.earlierFirst}, ${rows.first}, ${rows.last}) as decide`;
  return row!.decide;
}

/** Stages problems of chunks that were undone together. */
export async function recordProblems(
  sql: Sql | Transaction,
  slice: Slice,
  { importId, checking, problems }: ProblemOptions & { problems: readonly string[] },
): Promise<void> {
  for (const array of problems) {
    await sql`
      select jobs_private.record_problems(
        ${slice.job.id}, ${slice.token}, ${importId}, ${array}::jobs_private.row_problem[], ${checking})`;
  }
}

/** Forgets the problems of an earlier attempt in one transaction. */
export async function forgetProblems(
  sql: Sql,
  slice: Slice,
  { importId, checking }: ProblemOptions,
): Promise<void> {
  await sql`select jobs_private.forget_problems(${slice.job.id}, ${slice.token}, ${importId}, ${checking})`;
}

/** What phase of the work found a problem. */
export const PHASES = { check: "{1,2}", commit: "{3}" } as const;

export interface ProblemCounts {
  /** Rows with a problem. */
  invalid: number;
  byCode: Record<string, number>;
}

/** The problems of a check. */
export async function countProblems(sql: Sql, importId: string): Promise<ProblemCounts> {
  const [row] = await sql<{ invalid_count: number; problems_by_code: Record<string, number> }[]>`
    select invalid_count, problems_by_code from jobs_private.count_problems(${importId})`;
  return { invalid: row!.invalid_count, byCode: row!.problems_by_code };
}

/** Rows of a finished check, and how many of them have a problem. */
export async function checkedRows(sql: Sql, importId: string): Promise<{ rows: number; invalid: number }> {
  const [row] = await sql<{ row_count: number; invalid_count: number }[]>`
    select row_count, invalid_count from jobs_private.checked_rows(${importId})`;
  return { rows: row!.row_count, invalid: row!.invalid_count };
}

/** Completes the problems of a check and shows the first of them. */
export async function publishCheckProblems(sql: Sql, slice: Slice): Promise<void> {
  await sql.begin((transaction) => suggestReferences(transaction, slice));
  await publishProblems(sql, slice, { importId: slice.job.id, phases: PHASES.check });
}

/** Shows the first problems to those who may read the job. */
export async function publishProblems(
  sql: Sql,
  slice: Slice,
  { importId, phases }: { importId: string; phases: string },
): Promise<void> {
  await sql`select jobs_private.publish_problems(${slice.job.id}, ${slice.token}, ${importId}, ${phases}::smallint[])`;
}

/** The query behind problems.csv, for COPY as the owner of the job: without a heading line. */
export async function problemsFileQuery(
  sql: Sql,
  importId: string,
  places: readonly number[],
): Promise<string> {
  const [row] = await sql<{ query: string }[]>`
    select jobs_private.problems_file_query(${importId}, ${`{${places.join(",")}}`}::integer[]) as query`;
  return row!.query;
}

/**
 * Takes the dead rows of undone writes away, where that can be done now: without the right to, or while another vacuum
 * is at the table, the database only warns; and one that takes too long is left to autovacuum.
 */
export async function vacuum(sql: Sql, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    try {
      await sql.unsafe(`vacuum (skip_locked, truncate off) ${table}`).simple();
    } catch (error) {
      if (!(error instanceof Error && "code" in error && TAKES_TOO_LONG.has(String(error.code)))) throw error;
    }
  }
}

/** SQLSTATEs of a lock and of a statement that were waited for too long. */
const TAKES_TOO_LONG = new Set(["55P03", "57014"]);

function literal(names: readonly string[]): string {
  return `{${names.map((name) => JSON.stringify(name)).join(",")}}`;
}
