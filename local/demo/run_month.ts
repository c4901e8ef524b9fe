/**
 * The second half of the demo: a month of a restaurant business, imported, counted and exported. In: whose it is, and a
 * folder. Out: an account with calls, orders and reservations, its metrics as files in the folder, and the tiles of a
 * dashboard on standard output.
 */
import { join } from "@std/path";
import { bold, dim } from "@std/fmt/colors";
import type { SupabaseClient } from "@supabase/supabase-js";
import { getMetricsDaily, type MetricsDay } from "../../shared/domains/certus/queries.ts";
import {
  type ExportedFile,
  type ExportRequest,
  exportResult,
  refreshResult,
} from "../../shared/client/mod.ts";
import { followJob } from "../cli/follow_job.ts";
import { makeAccount } from "../cli/make_account.ts";
import { bytesText, countedText, countText, durationText } from "../cli/terminal/quantities.ts";
import { saveExport } from "../cli/save_export.ts";
import { tableLines } from "../cli/terminal/table.ts";
import { terminalWidth } from "../cli/terminal/terminal_width.ts";
import { LOCATIONS, makeMonth, type Month } from "./make_month.ts";
import { beginChapter, sayDone } from "./narrate.ts";
import { check, commit, expect, type Imports, saveFile } from "./steps.ts";

export interface RunMonthOptions extends Omit<Imports, "scope"> {
  supabase: SupabaseClient;
  filesDir: string;
}

const DAYS = 30;
const DAY_MS = 86_400_000;
const VIEW = "certus.mv_metrics_daily";

export async function runMonth({ supabase, filesDir, ...caller }: RunMonthOptions): Promise<void> {
  const { longshore, signal } = caller;
  beginChapter(
    "A month of a restaurant",
    "Another system on the same engine: calls, orders and reservations of three restaurants, as their phone " +
      "provider exports them. Each order finds its call by the provider's id.",
  );
  const accountId = await makeAccount(supabase, caller.orgId);
  await addLocations(supabase, accountId);
  const lastDay = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
  const month = makeMonth({ lastDay, days: DAYS });
  const written: Partial<Record<keyof Month, number>> = {};
  for (const name of ["calls", "orders", "reservations"] as const) {
    const file = await saveFile(filesDir, `${name}.csv`, { content: month[name], type: "text/csv" });
    const imports: Imports = { ...caller, scope: { account_id: accountId } };
    const { job, result } = await check(imports, file, { dataset: `certus.${name}` });
    expect(result.invalid === 0, `no problems in ${name}.csv`, result);
    written[name] = (await commit(imports, job, "all_or_nothing")).inserted;
  }
  sayDone(
    "Imported",
    `${countedText(written.calls!, "call")}, ${countedText(written.orders!, "order")}, ` +
      countedText(written.reservations!, "reservation"),
  );

  beginChapter(
    "The metrics refreshed",
    "A materialized view counts them by restaurant and local day. The clock refreshes it every five minutes; an admin " +
      "may ask for it, and readers go on reading.",
  );
  const refresh = await followJob(longshore, await longshore.startRefresh(VIEW), {
    label: "Refreshing",
    signal,
  });
  signal.throwIfAborted();
  const refreshed = refreshResult(refresh);
  expect(refreshed !== null, "a refresh that succeeds", refresh.error);
  sayDone("Refreshed", `${VIEW} in ${durationText(refreshed.duration_ms)}`);

  const from = new Date(Date.parse(lastDay) - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  const days = await getMetricsDaily(supabase, { accountId, from, to: lastDay });
  expect(sum(days, "total_calls") === written.calls, "every call counted", sum(days, "total_calls"));
  printTiles(days);

  beginChapter(
    "Exported",
    "As the person, from one moment of the data, straight into Storage. The file appears when it is whole, with its " +
      "size and its SHA-256.",
  );
  const report = { report: "certus.metrics_daily", filters: { account_id: accountId } };
  for (const format of ["csv", "xlsx"] as const) {
    const name = `metrics.${format}`;
    const file = await exportFile(caller, { ...report, format }, join(filesDir, name));
    expect(file.rows === DAYS * LOCATIONS.length, `a row for each restaurant and day in ${name}`, file);
    sayDone("Saved", `${name}, ${countedText(file.rows, "row")}, ${bytesText(file.bytes)}`);
  }
}

async function exportFile(
  { longshore, signal }: Pick<Imports, "longshore" | "signal">,
  request: ExportRequest,
  path: string,
): Promise<ExportedFile> {
  const started = await longshore.startExport(request, { signal });
  const job = await followJob(longshore, started, { label: "Exporting", signal });
  signal.throwIfAborted();
  const file = exportResult(job)?.file;
  expect(file !== undefined, "an export that succeeds", job.error);
  await saveExport(await longshore.downloadExport(file), file, { path });
  return file;
}

async function addLocations(supabase: SupabaseClient, accountId: string): Promise<void> {
  const { error } = await supabase.schema("certus").from("locations").insert(
    LOCATIONS.map(({ code, name }) => ({ account_id: accountId, code, name, avg_spend_per_head: 38 })),
  );
  if (error) throw error;
}

type Count = Exclude<keyof MetricsDay, "local_date">;

function sum(days: readonly MetricsDay[], name: Count): number {
  return days.reduce((total, day) => total + Number(day[name]), 0);
}

function printTiles(days: readonly MetricsDay[]): void {
  const money = (amount: number) => `£${countText(amount)}`;
  const tiles: [string, Count, (value: number) => string][] = [
    ["Calls", "total_calls", countText],
    ["Orders", "orders_count", countText],
    ["Reservations", "reservations_count", countText],
    ["Revenue of orders", "total_revenue_orders", money],
    ["Revenue of reservations (estimate)", "total_revenue_res_estimate", money],
    ["Minutes saved", "minutes_saved", countText],
  ];
  const week = days.slice(-7);
  const before = days.slice(-14, -7);
  const columns = [
    { heading: "" },
    { heading: `${days.length} days`, align: "right" as const },
    { heading: "last 7", align: "right" as const },
    { heading: "against the week before" },
  ];
  const rows = tiles.map(([title, name, shown]) => [
    bold(title),
    shown(sum(days, name)),
    shown(sum(week, name)),
    dim(changeText(sum(week, name), sum(before, name))),
  ]);
  console.log();
  for (const line of tableLines({ columns, rows }, { width: terminalWidth() })) console.log(line);
}

function changeText(now: number, then: number): string {
  if (then === 0) return "";
  const change = Math.round((now / then - 1) * 100);
  return `${change < 0 ? "−" : "+"}${Math.abs(change)} %`;
}
