import { assertEquals } from "@std/assert";
import { editDistance, nearestName } from "../../../shared/text/nearest_name.ts";

Deno.test("nearestName() finds the name that was most likely meant", () => {
  const known = ["upsert", "insert", "update", "spool", "support"];
  const cases: [name: string, nearest: string | null][] = [
    ["spoool", "spool"],
    ["SPOL", "spool"],
    ["inset", "insert"],
    ["upset", "upsert"],
    ["spool", "spool"],
    ["elephant", null],
    // A short name has to be nearer.
    ["xy", null],
    ["", null],
  ];
  for (const [name, nearest] of cases) assertEquals([name, nearestName(name, known)], [name, nearest]);
});

Deno.test("nearestName() takes the first of two that are equally near", () => {
  assertEquals(nearestName("D-9", ["D-2", "D-1"]), "D-2");
  assertEquals(nearestName("D-9", []), null);
});

Deno.test("editDistance() is Levenshtein's, and never more than the limit", () => {
  const cases: [a: string, b: string, limit: number, distance: number][] = [
    ["kitten", "sitting", 9, 3],
    ["", "abc", 9, 3],
    ["abc", "abc", 9, 0],
    ["ab", "ba", 9, 2],
    ["kitten", "sitting", 2, 2],
    ["a", "abcdef", 3, 3],
  ];
  for (const [a, b, limit, distance] of cases) {
    assertEquals([a, b, editDistance(a, b, limit)], [a, b, distance]);
  }
});
