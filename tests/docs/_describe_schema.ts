/**
 * The exposed schemas as a document. In: a database with all migrations. Out: Markdown with every table (columns, rules,
 * policies) and every function that people may call, in the words of the database's own comments.
 */
import type { Sql } from "postgres";

interface Table {
  schema: string;
  name: string;
  comment: string | null;
  columns: { name: string; type: string; nullable: boolean; writable: string; comment: string | null }[];
  rules: { name: string; definition: string }[];
  policies: { name: string; command: string; comment: string | null }[];
}

interface Callable {
  schema: string;
  name: string;
  arguments: string;
  result: string;
  comment: string | null;
}

export async function describeSchema(sql: Sql, schemas: readonly string[]): Promise<string> {
  const names = schemas.join(",");
  const lines = [
    "# Schema",
    "",
    "What the API shows, as the database describes itself: tables with their rules and policies, and the functions that people",
    "may call. A test writes this page (`UPDATE_DOCS=1 deno test -A tests/docs/schema_test.ts`) and fails where it is not up to",
    "date. Who has which role is told in [row-level security](row-level-security.md).",
  ];
  for (const schema of schemas) {
    lines.push("", `## ${schema}`);
    for (const table of await readTables(sql, names)) {
      if (table.schema === schema) lines.push(...describeTable(table));
    }
    const callables = (await readCallables(sql, names)).filter((callable) => callable.schema === schema);
    if (callables.length > 0) {
      lines.push("", "### Functions", "", "| function | returns | does |", "|---|---|---|");
    }
    for (const callable of callables) {
      const signature = `${callable.name}(${callable.arguments})`;
      lines.push(`| \`${signature}\` | \`${callable.result}\` | ${cell(callable.comment)} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function describeTable({ name, comment, columns, rules, policies }: Table): string[] {
  const lines = [
    "",
    `### ${name}`,
    "",
    comment ?? "",
    "",
    "| column | type | may be null | people write it | |",
    "|---|---|---|---|---|",
  ];
  for (const column of columns) {
    const { type, nullable, writable } = column;
    lines.push(
      `| \`${column.name}\` | ${type} | ${nullable ? "yes" : ""} | ${writable} | ${cell(column.comment)} |`,
    );
  }
  if (rules.length > 0) lines.push("", "| rule | |", "|---|---|");
  for (const rule of rules) lines.push(`| \`${rule.name}\` | \`${cell(rule.definition)}\` |`);
  if (policies.length > 0) lines.push("", "| policy | for | |", "|---|---|---|");
  for (const policy of policies) {
    lines.push(`| \`${policy.name}\` | ${policy.command} | ${cell(policy.comment)} |`);
  }
  return lines;
}

function cell(text: string | null): string {
  return (text ?? "").replace(/\s+/g, " ").replaceAll("|", "\\|");
}

/** Tables that people may read, with the columns that they may write. */
async function readTables(sql: Sql, schemas: string): Promise<Table[]> {
  return await sql<Table[]>`
    select n.nspname as schema, c.relname as name, obj_description(c.oid, 'pg_class') as comment,
      (
        select json_agg(json_build_object(
          'name', a.attname,
          'type', format_type(a.atttypid, a.atttypmod),
          'nullable', not a.attnotnull,
          'writable', concat_ws(', ',
            case when has_column_privilege('authenticated', c.oid, a.attnum, 'insert') then 'insert' end,
            case when has_column_privilege('authenticated', c.oid, a.attnum, 'update') then 'update' end),
          'comment', col_description(c.oid, a.attnum)
        ) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      ) as columns,
      (
        select coalesce(json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid))
          order by k.contype = 'c', k.conname), '[]')
        from pg_constraint k where k.conrelid = c.oid and k.contype in ('c', 'u', 'f', 'p', 'x')
      ) as rules,
      (
        select coalesce(json_agg(json_build_object(
          'name', p.polname,
          'command', case p.polcmd
            when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
          'comment', obj_description(p.oid, 'pg_policy')
        ) order by p.polname), '[]')
        from pg_policy p where p.polrelid = c.oid
      ) as policies
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any (string_to_array(${schemas}, ',')) and c.relkind in ('r', 'v', 'p')
      and has_table_privilege('authenticated', c.oid, 'select')
    order by n.nspname, c.relname`;
}

/** Functions that people may call; triggers are nobody's to call. */
async function readCallables(sql: Sql, schemas: string): Promise<Callable[]> {
  return await sql<Callable[]>`
    select n.nspname as schema, p.proname as name, pg_get_function_arguments(p.oid) as arguments,
      pg_get_function_result(p.oid) as result, obj_description(p.oid, 'pg_proc') as comment
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = any (string_to_array(${schemas}, ',')) and p.prorettype <> 'trigger'::regtype
      and has_function_privilege('authenticated', p.oid, 'execute')
    order by n.nspname, p.proname`;
}
