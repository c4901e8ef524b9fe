/**
 * The types of one exposed schema, as supabase-js takes them. In: a database with all migrations. Out: TypeScript with
 * every table and view that people may read (`Row`), what they may write of it by their grants (`Insert`, `Update`), and
 * the functions that people may call.
 *
 * A view's column may be null unless a column of the same name in a table behind the view may not: the views here join
 * nothing outer.
 */
import type { Sql } from "postgres";

interface Column {
  name: string;
  type: string;
  nullable: boolean;
  /** Whether a new row has a value without being given one. */
  filled: boolean;
  insertable: boolean;
  updatable: boolean;
}

interface Relation {
  name: string;
  view: boolean;
  columns: Column[];
}

interface Routine {
  name: string;
  arguments: { name: string; type: string; optional: boolean }[];
  returns: string;
  set: boolean;
  table: { name: string; type: string }[] | null;
}

const SCALARS: Record<string, string> = {
  bool: "boolean",
  int2: "number",
  int4: "number",
  int8: "number",
  float4: "number",
  float8: "number",
  numeric: "number",
  json: "Json",
  jsonb: "Json",
  void: "undefined",
};

export async function describeTypes(sql: Sql, schema: string): Promise<string> {
  const relations = await readRelations(sql, schema);
  const routines = await readRoutines(sql, schema);
  const type = (name: string) => typeOf(name, { schema, relations });
  const lines = [
    `/** The schema "${schema}" as the database describes itself: \`UPDATE_DOCS=1 deno test -A tests/docs/types_test.ts\` writes it. */`,
    "",
    "export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];",
    "",
    "export type Database = {",
    `  ${schema}: {`,
    "    Tables: {",
    ...relations.filter(({ view }) => !view).flatMap((relation) => describeRelation(relation, type)),
    "    };",
    "    Views: {",
    ...relations.filter(({ view }) => view).flatMap((relation) => describeRelation(relation, type)),
    "    };",
    "    Functions: {",
    ...routines.flatMap((routine) => describeRoutine(routine, type)),
    "    };",
    "  };",
    "};",
  ];
  return `${lines.join("\n")}\n`;
}

type TypeOf = (name: string) => string;

function describeRelation({ name, view, columns }: Relation, type: TypeOf): string[] {
  const whole = ({ type: of, nullable }: Column) => `${type(of)}${nullable ? " | null" : ""}`;
  const block = (title: string, fields: string[]) =>
    fields.length === 0
      ? [`        ${title}: Record<string, never>;`]
      : [`        ${title}: {`, ...fields.map((field) => `          ${field};`), "        };"];
  return [
    `      ${name}: {`,
    ...block("Row", columns.map((column) => `${column.name}: ${whole(column)}`)),
    ...(view ? [] : [
      ...block(
        "Insert",
        columns.filter(({ insertable }) => insertable).map((column) =>
          `${column.name}${column.filled || column.nullable ? "?" : ""}: ${whole(column)}`
        ),
      ),
      ...block(
        "Update",
        columns.filter(({ updatable }) => updatable).map((column) => `${column.name}?: ${whole(column)}`),
      ),
    ]),
    "        Relationships: [];",
    "      };",
  ];
}

function describeRoutine({ name, arguments: given, returns, set, table }: Routine, type: TypeOf): string[] {
  return [
    `      ${name}: {`,
    ...(given.length === 0 ? ["        Args: Record<string, never>;"] : [
      "        Args: {",
      ...given.map((argument) =>
        `          ${argument.name}${argument.optional ? "?" : ""}: ${type(argument.type)};`
      ),
      "        };",
    ]),
    ...(table
      ? [
        "        Returns: {",
        ...table.map((column) => `          ${column.name}: ${type(column.type)};`),
        "        }[];",
      ]
      : [`        Returns: ${type(returns)}${set ? "[]" : ""};`]),
    "      };",
  ];
}

function typeOf(name: string, { schema, relations }: { schema: string; relations: Relation[] }): string {
  if (name.startsWith("_")) return `${typeOf(name.slice(1), { schema, relations })}[]`;
  const relation = relations.find((candidate) => candidate.name === name);
  if (relation) return `Database["${schema}"]["${relation.view ? "Views" : "Tables"}"]["${name}"]["Row"]`;
  return SCALARS[name] ?? "string";
}

async function readRelations(sql: Sql, schema: string): Promise<Relation[]> {
  return await sql<Relation[]>`
    select c.relname as name, c.relkind = 'v' as view, (
      select json_agg(json_build_object(
        'name', a.attname,
        'type', t.typname,
        'nullable', not a.attnotnull and not exists (
          select from pg_rewrite r
          join pg_depend d on d.objid = r.oid and d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
          join pg_attribute b on b.attrelid = d.refobjid and b.attnum = d.refobjsubid
          where r.ev_class = c.oid and d.refobjid <> c.oid and b.attname = a.attname and b.attnotnull
        ),
        'filled', a.atthasdef or a.attidentity <> '',
        'insertable', has_column_privilege('authenticated', c.oid, a.attnum, 'insert'),
        'updatable', has_column_privilege('authenticated', c.oid, a.attnum, 'update')
      ) order by a.attnum)
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) as columns
    from pg_class c
    where c.relnamespace = to_regnamespace(${schema}) and c.relkind in ('r', 'v', 'p')
      and has_table_privilege('authenticated', c.oid, 'select')
    order by c.relname collate "C"`;
}

async function readRoutines(sql: Sql, schema: string): Promise<Routine[]> {
  return await sql<Routine[]>`
    select p.proname as name, t.typname as returns, p.proretset as set,
      (
        select coalesce(json_agg(json_build_object(
          'name', p.proargnames[n],
          'type', (select x.typname from pg_type x where x.oid = p.proargtypes[n - 1]),
          'optional', n > p.pronargs - p.pronargdefaults) order by n), '[]')
        from generate_series(1, p.pronargs) n
      ) as arguments,
      (
        select json_agg(json_build_object('name', p.proargnames[n], 'type', (select x.typname from pg_type x where x.oid = p.proallargtypes[n])) order by n)
        from generate_series(1, cardinality(p.proallargtypes)) n
        where p.proargmodes[n] = 't'
      ) as table
    from pg_proc p
    join pg_type t on t.oid = p.prorettype
    where p.pronamespace = to_regnamespace(${schema}) and p.prorettype <> 'trigger'::regtype
      and has_function_privilege('authenticated', p.oid, 'execute')
    order by p.proname collate "C"`;
}
