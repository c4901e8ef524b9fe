import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { testStack } from "./helpers/stack.ts";

interface Policy {
  name: string;
  command: string;
  roles: string[];
  using: string | null;
  with_check: string | null;
}

interface BucketFile {
  bucket: string;
  public: boolean;
  file_size_limit: number;
  allowed_mime_types: string[];
  policies: (Policy & { means: string })[];
}

const DIR = new URL("../storage-policies/", import.meta.url);

Deno.test("storage-policies/ describes every bucket as the database has it", async () => {
  const described = await readBucketFiles();
  const buckets = await query<Omit<BucketFile, "policies">>((sql) =>
    sql`
      select id as bucket, public, file_size_limit::int as file_size_limit, allowed_mime_types
      from storage.buckets
      where id = any (${described.map((file) => file.bucket)})
      order by id`
  );
  assertEquals(
    described.map(({ bucket, public: isPublic, file_size_limit, allowed_mime_types }) => (
      { bucket, public: isPublic, file_size_limit, allowed_mime_types }
    )),
    buckets,
  );
});

Deno.test("storage-policies/ describes every policy on files as the database has it, and no other", async () => {
  const described = await readBucketFiles();
  const policies = await query<Policy>((sql) =>
    sql`
      select policyname as name, lower(cmd) as command, roles::text[] as roles,
        regexp_replace(qual, '\\s+', ' ', 'g') as "using",
        regexp_replace(with_check, '\\s+', ' ', 'g') as with_check
      from pg_catalog.pg_policies
      where schemaname = 'storage'
      order by policyname`
  );
  assertEquals(
    described.flatMap((file) => file.policies).map(({ means: _, ...policy }) => policy).sort(byName),
    policies.sort(byName),
  );
});

Deno.test("storage-policies/ names a policy after its bucket, which it is about", async () => {
  for (const { bucket, policies } of await readBucketFiles()) {
    for (const { name, using, with_check } of policies) {
      assertEquals(name.startsWith(`${bucket}_are_`), true, name);
      for (const expression of [using, with_check]) {
        assertEquals(expression?.startsWith(`((bucket_id = '${bucket}'::text) AND `) ?? true, true, name);
      }
    }
  }
});

async function readBucketFiles(): Promise<BucketFile[]> {
  const files: BucketFile[] = [];
  for await (const entry of Deno.readDir(DIR)) {
    files.push(JSON.parse(await Deno.readTextFile(new URL(entry.name, DIR))));
  }
  return files.sort((a, b) => a.bucket < b.bucket ? -1 : 1);
}

/** Rows of one query, asked with an empty search path, so that expressions name their schemas. */
async function query<Row>(ask: (sql: postgres.TransactionSql) => Promise<postgres.RowList<postgres.Row[]>>) {
  const stack = await testStack();
  const sql = postgres(stack.dbUrl, { max: 1 });
  try {
    const rows = await sql.begin(async (transaction) => {
      await transaction`set local search_path = ''`;
      return await ask(transaction);
    });
    return [...rows] as Row[];
  } finally {
    await sql.end();
  }
}

function byName(a: Policy, b: Policy): number {
  return a.name < b.name ? -1 : 1;
}
