/**
 * One export from a terminal. In: what the command line says and the session. Out: an exit code: 0 where the file is there,
 * whole, else 1. Texts of the command line become what the report's schema wants.
 */
import { bold, dim } from "@std/fmt/colors";
import {
  createLongshore,
  type ExportRequest,
  exportResult,
  type ReportDescription,
} from "../../shared/client/mod.ts";
import { followJob } from "./follow_job.ts";
import { makeAccount } from "./make_account.ts";
import type { Session } from "./open_session.ts";
import type { ExportArgs } from "./parse_export_args.ts";
import { printFailure } from "./print_failure.ts";
import { saveExport } from "./save_export.ts";
import { bytesText, countText } from "./terminal/quantities.ts";

export interface RunExportOptions {
  session: Session;
  /** Cancels the job. */
  signal: AbortSignal;
}

export async function runExport(args: ExportArgs, { session, signal }: RunExportOptions): Promise<number> {
  const longshore = createLongshore(session.supabase);
  const reports = await longshore.reports();
  if (args.report === null) {
    for (const report of reports) printReport(report);
    return 0;
  }
  const request: ExportRequest = {
    report: args.report,
    format: args.format,
    filters: await readFilters(args, { reports, session }),
    ...(args.columns ? { columns: args.columns } : {}),
  };
  const started = await longshore.startExport(request, { signal });
  const ended = await followJob(longshore, started, { label: "Exporting", signal });
  const result = exportResult(ended);
  if (ended.error) printFailure(ended.error);
  if (result) await saveExport(await longshore.downloadExport(result.file), result.file, { path: args.out });
  if (args.json) console.log(JSON.stringify(ended));
  else if (result) {
    const { rows, bytes } = result.file;
    console.log();
    console.log(`  ${dim("Rows".padEnd(14))}${countText(rows)}`);
    console.log(`  ${dim("Saved".padEnd(14))}${args.out}, ${bytesText(bytes)}`);
    if (result.cut_texts) {
      console.log(
        `  ${dim("Cut".padEnd(14))}${countText(result.cut_texts)} texts that were too long for a cell`,
      );
    }
  }
  return result ? 0 : 1;
}

/** Where the report is not known, texts stay texts: the server says what is wrong. */
async function readFilters(
  { report, filters }: ExportArgs,
  { reports, session }: { reports: ReportDescription[]; session: Session },
): Promise<Record<string, unknown>> {
  const known = reports.find(({ name }) => name === report)?.filters.properties ?? {};
  const read = Object.fromEntries(
    Object.entries(filters).map(([name, texts]) => [name, valueOf(texts, known[name]?.["type"])]),
  );
  // The local stack's person has one of each.
  const wants = (name: string) => name in known && !(name in read);
  if (session.projectId !== null && wants("project_id")) read["project_id"] = session.projectId;
  if (session.orgId !== null && wants("account_id")) {
    read["account_id"] = await makeAccount(session.supabase, session.orgId);
  }
  return read;
}

function valueOf(texts: string[], type: unknown): unknown {
  if (texts.length > 1) return texts;
  const [text = ""] = texts;
  if (type === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function printReport({ name, title, formats, filters }: ReportDescription): void {
  const required = filters.required ?? [];
  const names = Object.keys(filters.properties ?? {}).map((each) =>
    required.includes(each) ? bold(each) : each
  );
  console.log(`${bold(name)}  ${title}, ${formats.join(", ")}`);
  console.log(`  ${dim("filters")}  ${names.join(", ")}`);
}
