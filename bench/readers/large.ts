/**
 * The largest files there are, checked through the whole local stack with the hosted limits enforced: a CSV of 5,000,000
 * rows and a workbook with all the rows that Excel can hold. Prints what every isolate used and why it ended.
 * `deno run -A bench/readers/large.ts [--csv-rows 5000000] [--workbook-rows 1048575]`; 0 rows leave a file out.
 */
import { join } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";
import { writeZip } from "./write_zip.ts";
import { makeFile } from "../import/make_file.ts";
import { openSite, type Site } from "../import/open_site.ts";
import { workbookLikeExcels } from "./workbook_like_excels.ts";

const args = parseArgs(Deno.args, {
  string: ["csv-rows", "workbook-rows"],
  default: { "csv-rows": "5000000", "workbook-rows": "1048575" },
});
const site = await openSite();
try {
  const workbookRows = Number(args["workbook-rows"]);
  if (workbookRows > 0) {
    const file = join(site.dir, "large.xlsx");
    const output = await Deno.open(file, { write: true, create: true });
    await writeZip(workbookLikeExcels({ rows: workbookRows, unique: true })).pipeTo(output.writable);
    await check(site, file, workbookRows);
  }
  const csvRows = Number(args["csv-rows"]);
  if (csvRows > 0) {
    const file = join(site.dir, "large.csv");
    await makeFile(file, { rows: csvRows });
    await check(site, file, csvRows);
  }
} finally {
  await site.close();
}

async function check(site: Site, file: string, rows: number): Promise<void> {
  const { size } = await Deno.stat(file);
  console.log(`\n${rows.toLocaleString("en")} rows, ${(size / 1e6).toFixed(0)} MB`);
  console.log("isolate  CPU ms  MiB  ended by");
  const path = await site.upload(file);
  await Deno.remove(file);
  const use = { isolates: 0, cpuMs: 0, mostCpuMs: 0, mostMebibytes: 0 };
  const note = ({ cpuMs, memoryBytes }: { cpuMs: number; memoryBytes: number }, state: string) => {
    const mebibytes = memoryBytes / 2 ** 20;
    use.isolates++;
    use.cpuMs += cpuMs;
    use.mostCpuMs = Math.max(use.mostCpuMs, cpuMs);
    use.mostMebibytes = Math.max(use.mostMebibytes, mebibytes);
    const cells = [use.isolates, cpuMs, mebibytes.toFixed(0)].map((cell, i) =>
      String(cell).padStart([7, 6, 3][i]!)
    );
    console.log(`${cells.join("  ")}  ${state}`);
  };
  const unlisten = site.stack.functionsControl.onExit((record) => {
    if (record.name === "import") note(record, record.reason);
  });
  const from = performance.now();
  try {
    const { result } = await site.runJob("import", {
      dataset: "bench.rows",
      scope: { project_id: site.projectId },
      file: { bucket: "imports", path },
    });
    for (const isolate of await site.stack.functionsControl.isolates("import")) note(isolate, "still there");
    console.log(
      `${((performance.now() - from) / 1000).toFixed(0)} s; at most ${use.mostCpuMs} ms and ` +
        `${use.mostMebibytes.toFixed(0)} MiB an isolate; ${use.cpuMs} ms in all`,
    );
    console.log(JSON.stringify(result).slice(0, 300));
  } finally {
    unlisten();
  }
}
