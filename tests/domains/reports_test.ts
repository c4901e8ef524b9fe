/** Every report there is, held to the database: its source, its columns and their types, its order, its rights. */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { reports } from "../../shared/domains/reports.ts";
import { components as componentsDataset } from "../../shared/domains/pipetrak/datasets/components.ts";
import { components } from "../../shared/domains/pipetrak/reports/components.ts";
import type { ReportColumnType } from "../../shared/exports/report.ts";
import { testStack } from "../helpers/stack.ts";

const TYPES: Record<string, ReportColumnType> = {
  text: "text",
  uuid: "text",
  int2: "integer",
  int4: "integer",
  int8: "integer",
  numeric: "number",
  float8: "number",
  date: "date",
  timestamptz: "timestamp",
  bool: "boolean",
};

const { adminUrl } = await testStack();

for (const report of reports) {
  Deno.test(`The report ${report.name} is what the database has`, async () => {
    const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
    try {
      const isFunction = report.source.endsWith("(filters)");
      const source = report.source.replace("(filters)", isFunction ? "('{}'::jsonb)" : "");
      const rows = await sql.unsafe(`select * from ${source} s limit 0`);
      const names = await sql<{ oid: number; name: string }[]>`
        select oid::int8::int4 as oid, typname as name from pg_type
        where oid::int8 = any (${`{${rows.columns.map(({ type }) => type).join(",")}}`}::int8[])`;
      const found = new Map(rows.columns.map(({ name, type }) => [
        name as string,
        names.find(({ oid }) => oid === type)?.name ?? "",
      ]));
      for (const { name, source = name, type } of report.columns) {
        assertEquals(TYPES[found.get(source) ?? ""], type, `column ${name}`);
      }
      const compared = report.filters.flatMap(({ name, column = name }) => column ?? []);
      const ordered = report.order.map((each) => typeof each === "string" ? each : each.column);
      for (const name of [...compared, ...ordered]) assert(found.has(name), `there is no column ${name}`);

      for (const name of [report.authorize, ...report.rights ? [report.rights] : []]) {
        const [asked] = await sql`
        select p.prosecdef as definer, p.provolatile as volatile, has_function_privilege('authenticated', p.oid, 'execute') as may,
          has_schema_privilege('longshore_worker', p.pronamespace, 'usage') as reaches
        from pg_proc p where p.oid = ${`${name}(jsonb)`}::regprocedure`;
        assertEquals([asked?.may, asked?.reaches, asked?.volatile], [true, true, "s"]);
      }
      if (isFunction) {
        const [read] = await sql`
          select prosecdef as definer, provolatile as volatile from pg_proc
          where oid = ${report.source.replace("(filters)", "(jsonb)")}::regprocedure`;
        assertEquals(read, { definer: false, volatile: "s" });
      }
    } finally {
      await sql.end();
    }
  });
}

Deno.test("The names of reports, columns and filters are told apart", () => {
  const unique = (names: readonly string[]) =>
    assertEquals(names.length, new Set(names).size, names.join(", "));
  unique(reports.map(({ name }) => name));
  for (const { columns, filters } of reports) {
    unique(columns.map(({ name }) => name));
    unique(columns.map(({ heading }) => heading));
    unique(filters.map(({ name }) => name));
  }
});

Deno.test("pipetrak.components has the types of the dataset to filter by", () => {
  const filter = components.filters.find(({ name }) => name === "type");
  const column = componentsDataset.columns.find(({ name }) => name === "type");
  assertEquals(filter?.kind === "choice" ? [...filter.values] : null, [...column!.values!]);
});
