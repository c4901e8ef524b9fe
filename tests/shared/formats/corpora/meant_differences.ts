/** Where this project's readers see something else than the independent ones, and why that is meant. */

export interface MeantDifference {
  file: RegExp;
  /** Of `place: own value | other value`. */
  difference: RegExp;
  why: string;
}

export const MEANT: MeantDifference[] = [
  {
    file: /unescaped\.csv$/,
    difference: /"a problem/,
    why:
      "A field is quoted without doubling the quotes inside and has a delimiter behind one of them: there is no right way",
  },
  {
    file: /\.ods$/,
    difference: /^(.*): (".*[^ ]") \| ".* +"$/,
    why: "SheetJS drops spaces at the end of a text",
  },
  {
    file: /\.ods$/,
    difference: /: (1 \| true|0 \| false)$/,
    why:
      "LibreOffice writes the truth values of imported workbooks as numbers with a format, which is lost in SheetJS",
  },
  { file: /\.ods$/, difference: /"Err:502" \|/, why: "LibreOffice writes an error of its own as a text" },
  {
    file: /loadExample\.(ods|xls)$/,
    difference: /^testing!/,
    why: "Random numbers, which LibreOffice draws anew whenever it opens the file",
  },
  {
    file: /loadExample\.ods$/,
    difference: /This shape represents/,
    why: "SheetJS takes a shape's text for its cell's",
  },
  {
    file: /styles__out\.ods$/,
    difference: /04:48:00 \| 1900-01-01T04:48:00/,
    why:
      "OpenDocument says that a time is one; .xlsx has only the number 1.2 with a format that shows no days",
  },
  {
    file: /ExampleExcelFile.*\.xls$/,
    difference: /#NUM! \| #VALUE!/,
    why: "LibreOffice has errors of its own, for which it writes another one",
  },
  {
    file: /big\.(ods|xls)$/,
    difference: /file_too_large/,
    why: "Beyond what SheetJS can read within the limits",
  },
  {
    file: /(readTest|type-me)\.xls$/,
    difference: /: 0 \| "/,
    why: "LibreOffice writes 0 as the result of formulas that it has not calculated",
  },
  {
    file: /(wide|readTest)\.xls$/,
    difference: /: undefined \|/,
    why: "The older format ends at 256 columns",
  },
];
