import { assertEquals } from "@std/assert";
import { splitStatements } from "../../local/migrate/split_statements.ts";

const CASES: { name: string; sql: string; expected: string[] }[] = [
  { name: "two statements", sql: "select 1;\nselect 2;", expected: ["select 1", "select 2"] },
  { name: "no semicolon at the end", sql: "select 1", expected: ["select 1"] },
  { name: "nothing but comments", sql: "-- a; b\n/* c; d */", expected: [] },
  { name: "a comment before", sql: "-- why;\nselect 1;", expected: ["-- why;\nselect 1"] },
  {
    name: "strings",
    sql: "select ';', 'it''s; so', E'\\';', e'a;';select 2;",
    expected: [
      "select ';', 'it''s; so', E'\\';', e'a;'",
      "select 2",
    ],
  },
  {
    name: "quoted names",
    sql: 'select 1 as "a;""b";select 2',
    expected: ['select 1 as "a;""b"', "select 2"],
  },
  {
    name: "dollar quotes",
    sql: "do $$ begin perform 1; end $$;do $x$ select '$$;' $x$;",
    expected: ["do $$ begin perform 1; end $$", "do $x$ select '$$;' $x$"],
  },
  {
    name: "atomic bodies with case",
    sql:
      "create function f() returns int begin atomic select case when true then 1 end; select 2; end;select 3;",
    expected: [
      "create function f() returns int begin atomic select case when true then 1 end; select 2; end",
      "select 3",
    ],
  },
  { name: "transactions", sql: "begin; select 1; end;", expected: ["begin", "select 1", "end"] },
  {
    name: "parameters and names with a dollar",
    sql: "select a$1, $1; select 2",
    expected: [
      "select a$1, $1",
      "select 2",
    ],
  },
];

for (const { name, sql, expected } of CASES) {
  Deno.test(`splitStatements() cuts ${name}`, () => assertEquals(splitStatements(sql), expected));
}
