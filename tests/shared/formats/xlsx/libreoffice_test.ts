/** LibreOffice opens what is written; where it is not installed there is nothing to see. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import Papa from "papaparse";
import { createWorkbookWriter } from "../../../../shared/formats/xlsx/mod.ts";

const SOFFICE = "soffice";
/** Tab, text delimiter, UTF-8, from the first line, every sheet into a file of its own; cells as they are shown. */
const FILTER = "csv:Text - txt - csv (StarCalc):9,34,76,1,,0,false,true,true,false,false,-1";

Deno.test({
  name: "createWorkbookWriter() writes what LibreOffice shows as it is meant",
  ignore: !(await isInstalled()),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const writer = createWorkbookWriter({
        sheet: "R&D's",
        columns: [
          { heading: "Text", type: "text" },
          { heading: "Integer", type: "integer" },
          { heading: "Decimal", type: "decimal", scale: 2 },
          { heading: "Date", type: "date" },
          { heading: "Timestamp", type: "timestamp" },
          { heading: "Boolean", type: "boolean" },
        ],
        autoFilter: true,
        rowsPerSheet: 4,
      });
      const csv = [
        "=1+1,42,12.5,2025-12-31,2025-12-31 08:30:15,t",
        '"  ""a"", <b> & \u0001c",123456789012,-0.005,1900-02-28,1900-03-01 23:59:59,f',
        "_x0041_,1234567890123456,,0099-01-01,infinity,",
        "日本語 😀,-1,0.3333333333333333333,2024-02-29,2024-02-29 00:00:00,t",
      ];
      const bytes = [writer.writeCsv(new TextEncoder().encode(csv.join("\n") + "\n")), writer.finish()];
      const file = join(folder, "book.xlsx");
      await Deno.writeFile(file, await new Blob(bytes as BlobPart[]).bytes());
      await convert(file, folder);
      assertEquals(await rowsOf(join(folder, "book-R&D's.csv")), [
        ["Text", "Integer", "Decimal", "Date", "Timestamp", "Boolean"],
        ["=1+1", "42", "12.50", "2025-12-31", "2025-12-31 08:30:15", "TRUE"],
        ['  "a", <b> & \u0001c', "123456789012", "-0.01", "1900-02-28", "1900-03-01 23:59:59", "FALSE"],
        ["_x0041_", "1234567890123456", "", "0099-01-01", "infinity", ""],
      ]);
      assertEquals(await rowsOf(join(folder, "book-R&D's (2).csv")), [
        ["Text", "Integer", "Decimal", "Date", "Timestamp", "Boolean"],
        ["日本語 😀", "-1", "0.33", "2024-02-29", "2024-02-29 00:00:00", "TRUE"],
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function isInstalled(): Promise<boolean> {
  try {
    return (await new Deno.Command(SOFFICE, { args: ["--version"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

async function convert(file: string, folder: string): Promise<void> {
  const args = [`-env:UserInstallation=file://${folder}/profile`, "--headless", "--convert-to", FILTER];
  await new Deno.Command(SOFFICE, {
    args: [...args, "--outdir", folder, file],
    stdout: "null",
    stderr: "null",
  }).output();
}

async function rowsOf(file: string): Promise<string[][]> {
  const text = (await Deno.readTextFile(file)).replace(/^\ufeff/, "");
  return Papa.parse<string[]>(text, { delimiter: "\t", skipEmptyLines: true }).data;
}
