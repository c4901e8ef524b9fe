import { assertEquals, assertThrows } from "@std/assert";
import { LongshoreError } from "../../../shared/errors.ts";
import { countHeadings, matchColumns, type MatchOptions } from "../../../shared/imports/match_columns.ts";
import { dataset } from "./_dataset.ts";

interface Case {
  name: string;
  headings: string[];
  columns?: MatchOptions["columns"];
  mapped: Record<string, string>;
  ignored?: string[];
}

const CASES: Case[] = [
  {
    name: "by the column's name",
    headings: ["tag", "weight_kg"],
    mapped: { tag: "tag", weight_kg: "weight_kg" },
  },
  {
    name: "by its title",
    headings: ["Tag", "Weight (kg)"],
    mapped: { Tag: "tag", "Weight (kg)": "weight_kg" },
  },
  {
    name: "by a synonym, whatever case, spaces and punctuation",
    headings: ["LINE_TAG", "  mass\n"],
    mapped: { LINE_TAG: "tag", "  mass\n": "weight_kg" },
  },
  { name: "by the letters under accents", headings: ["Tág"], mapped: { "Tág": "tag" } },
  {
    name: "when misspelt",
    headings: ["Tag", "Descripton"],
    mapped: { Tag: "tag", Descripton: "description" },
  },
  {
    name: "but no short one that is misspelt",
    headings: ["Tag", "Ma"],
    mapped: { Tag: "tag" },
    ignored: ["Ma"],
  },
  {
    name: "and leaves others out",
    headings: ["Tag", "Remarks", "", "Note"],
    mapped: { Tag: "tag" },
    ignored: ["Remarks", "Note"],
  },
  {
    name: "as the mapping says, which wins over names",
    headings: ["Tag", "Number"],
    columns: { Number: "tag" },
    mapped: { Number: "tag" },
    ignored: ["Tag"],
  },
  {
    name: "as the mapping says, whatever the heading's punctuation",
    headings: ["Line No.", "Tag"],
    columns: { "line no": "description" },
    mapped: { "Line No.": "description", Tag: "tag" },
  },
  {
    name: "and leaves out what the mapping says",
    headings: ["Tag", "Description"],
    columns: { Description: null },
    mapped: { Tag: "tag" },
    ignored: ["Description"],
  },
  {
    name: "and settles two synonyms by the mapping",
    headings: ["Mark", "Line Tag"],
    columns: { "Line Tag": "tag" },
    mapped: { "Line Tag": "tag" },
    ignored: ["Mark"],
  },
  {
    name: "and takes no notice of the columns of problems.csv",
    headings: ["Tag", "problem_row", "problem_codes", "problem_messages"],
    mapped: { Tag: "tag" },
  },
];

for (const { name, headings, columns, mapped, ignored } of CASES) {
  Deno.test(`matchColumns() finds columns ${name}`, () => {
    const match = matchColumns(dataset, headings, { columns, required: ["tag"] });
    assertEquals(match.mapped, mapped);
    assertEquals(match.ignored, ignored ?? []);
    const found = Object.values(mapped);
    assertEquals(
      match.missing,
      dataset.columns.map((column) => column.name).filter((name) => !found.includes(name)),
    );
    assertEquals(
      match.fileIndex,
      dataset.columns.map(({ name }) => {
        const index = headings.findIndex((heading) => mapped[heading] === name);
        return index < 0 ? null : index;
      }),
    );
  });
}

const REFUSALS: {
  name: string;
  headings: string[];
  columns?: MatchOptions["columns"];
  code: string;
  message: string;
}[] = [
  {
    name: "two headings for one column",
    headings: ["Mark", "Line Tag"],
    code: "ambiguous_columns",
    message:
      'Cannot tell which heading is Tag: found "Mark" and "Line Tag", expected one; say which with the option "columns"',
  },
  {
    name: "a mapping of two headings to one column",
    headings: ["A", "B"],
    columns: { A: "tag", B: "tag" },
    code: "ambiguous_columns",
    message:
      'Cannot tell which heading is Tag: found "A" and "B", expected one; say which with the option "columns"',
  },
  {
    name: "a mapping of a heading that stands twice",
    headings: ["A", "A"],
    columns: { A: "tag" },
    code: "ambiguous_columns",
    message: 'Cannot map the heading "A": found it 2 times, expected once',
  },
  {
    name: "a mapping of a heading that is not there",
    headings: ["Tag", "Remarks"],
    columns: { Remark: "description" },
    code: "unknown_columns",
    message: 'Cannot map the heading "Remark": the file has no such heading, the nearest is "Remarks"',
  },
  {
    name: "a mapping to a column that is not there",
    headings: ["Tag", "Remarks"],
    columns: { Remarks: "descripton" },
    code: "unknown_columns",
    message: 'Cannot map to the column "descripton": the dataset has none, the nearest is "description"',
  },
  {
    name: "a file without a required column",
    headings: ["Remarks", "Mass"],
    code: "missing_columns",
    message: 'Cannot find the columns Tag: found the headings "Remarks", "Mass"',
  },
];

for (const { name, headings, columns, code, message } of REFUSALS) {
  Deno.test(`matchColumns() refuses ${name}`, () => {
    const error = assertThrows(
      () => matchColumns(dataset, headings, { columns, required: ["tag"] }),
      LongshoreError,
    );
    assertEquals([error.code, error.message], [code, message]);
  });
}

Deno.test("matchColumns() takes the first of two headings that are misspelt alike, and says that it ignored the other", () => {
  const match = matchColumns(dataset, ["Tag", "Descripton", "Descriptio"], { required: [] });
  assertEquals([match.mapped, match.ignored], [{ Tag: "tag", Descripton: "description" }, ["Descriptio"]]);
});

Deno.test("countHeadings() counts every heading once, given ones too", () => {
  assertEquals(countHeadings(dataset, ["Tag", "TAG", "Mass", "Project 7", ""]), 2);
  assertEquals(countHeadings(dataset, ["Project 7", "Tag"], ["Project 7"]), 2);
});
