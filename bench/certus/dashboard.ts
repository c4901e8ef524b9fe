/**
 * What a dashboard of Certus waits for over a year of calls: tiles, lists and details through PostgREST, as an admin who
 * sees every location and as an operator of one; and what row security costs, by the same queries in the database with it
 * and without. Ends with an error where a list or a detail reads the calls from end to end.
 */
import { getCallDetail, getMetricsDaily, listRecentCalls } from "../../shared/domains/certus/queries.ts";
import type { Bench, BenchOptions, Table } from "../bench.ts";
import { Timings } from "../timings.ts";
import { type DashboardSite, openDashboardSite, type Viewer } from "./open_dashboard_site.ts";

export const dashboard: Bench = { name: "certus", title: "The dashboard of Certus", run };

const CALLS_A_ROW = 5;
const LOCATIONS = 200;
const WARM_UP = 10;
/** Of each query in a round. */
const TIMES = 20;
/** With and without policies by turns, so that other work on the machine falls on both alike. */
const TURNS = 4;
const DAYS = 90;

async function run({ rows, rounds }: BenchOptions): Promise<Table> {
  const calls = rows * CALLS_A_ROW;
  await using site = await openDashboardSite({ calls, locations: LOCATIONS });
  await requirePlans(site);
  const asked = new Timings();
  const secured = new Timings();
  const free = new Timings();
  for (let round = 0; round < rounds; round++) {
    for (const [name, person] of Object.entries(site.people)) {
      for (const [title, ask] of Object.entries(questions(site, person))) {
        await repeat(asked, `${title}, ${name}`, ask);
      }
    }
    for (const [name, { userId }] of Object.entries(site.people)) {
      for (const [title, query] of Object.entries(queries(site))) {
        const step = `${title}, ${name}`;
        for (let turn = 0; turn < TURNS; turn++) {
          await measureQuery(site, { userId, query, policies: true }, (ms) => secured.add(step, ms));
          await measureQuery(site, { userId, query, policies: false }, (ms) => free.add(step, ms));
        }
      }
    }
  }
  const steps = Object.keys(site.people).flatMap((name) =>
    [...Object.keys(questions(site, site.people.admin))].map((title) => `${title}, ${name}`)
  );
  const compared = Object.keys(site.people).flatMap((name) =>
    Object.keys(queries(site)).map((title) => `${title}, ${name}`)
  );
  const ms = (timings: Timings, step: string, share = 0.5) => timings.quantile(step, share).toFixed(1);
  return {
    title: `${dashboard.title}: ${
      calls.toLocaleString("en-US")
    } calls, ${LOCATIONS} locations of one account`,
    headings: ["what", "median ms", "95 % ms", "fastest", "target", "without policies", "ratio", "fastest"],
    rows: [
      ...steps.map((step) => [
        step,
        ms(asked, step),
        ms(asked, step, 0.95),
        ms(asked, step, 0),
        `< ${targetOf(step)} ms ${asked.quantile(step) < targetOf(step) ? "reached" : "MISSED"}`,
        "",
        "",
        "",
      ]),
      ...compared.map((step) => [
        step,
        ms(secured, step),
        ms(secured, step, 0.95),
        ms(secured, step, 0),
        "",
        ms(free, step),
        (secured.quantile(step) / free.quantile(step)).toFixed(2),
        (secured.quantile(step, 0) / free.quantile(step, 0)).toFixed(2),
      ]),
    ],
    notes: [
      `${rounds} rounds of ${TIMES}. The first rows are whole requests of supabase-js through the gateway and PostgREST.`,
      "Those with a ratio are queries in the database as the person, with the policies of the logs and without.",
    ],
  };
}

/**
 * What a list or a detail may touch: a page of it lies in some hundred blocks, of which the functions show nothing else;
 * all calls in more than ten times as many.
 */
async function requirePlans(site: DashboardSite): Promise<void> {
  const { accountId, locationId, callIds } = site;
  const most = 2000;
  const queries = [
    `certus.calls_v where account_id = '${accountId}' limit 50`,
    `certus.calls_v where location_id = '${locationId}' limit 50`,
    `certus.calls_v where account_id = '${accountId}' and status = 'voicemail' limit 50`,
    `certus.calls_v where id = '${callIds[0]}'`,
    `certus.list_recent_calls('${accountId}')`,
    `certus.list_recent_calls('${accountId}', p_status => 'voicemail')`,
    `certus.list_recent_calls('${accountId}', array['${locationId}']::uuid[])`,
    `certus.get_call_detail('${callIds[0]}')`,
  ];
  for (const [name, { userId }] of Object.entries(site.people)) {
    for (const query of queries) {
      const plan = await explain(site, userId, `select * from ${query}`);
      const scanned = nodesOf(plan).find((node) =>
        node["Node Type"] === "Seq Scan" && node["Relation Name"] === "call_logs"
      );
      const blocks = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
      if (scanned || blocks >= most) {
        throw new Error(
          `Cannot measure "${query}" as ${name}: found ${
            scanned ? "all calls scanned" : `${blocks} blocks`
          }, expected an index and less than ${most} blocks`,
        );
      }
    }
  }
}

interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: Plan[];
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

async function explain({ admin }: DashboardSite, userId: string, query: string): Promise<Plan> {
  const claims = JSON.stringify({ sub: userId, role: "authenticated" });
  return await admin.begin(async (sql) => {
    await sql`select set_config('request.jwt.claims', ${claims}, true), set_config('role', 'authenticated', true)`;
    const [row] = await sql.unsafe(`explain (analyze, buffers, format json) ${query}`);
    return row!["QUERY PLAN"][0].Plan as Plan;
  });
}

/** Milliseconds that a person should wait at most, in the middle. */
function targetOf(step: string): number {
  return step.startsWith("getCallDetail") ? 20 : 30;
}

function questions(site: DashboardSite, { client }: Viewer): Record<string, () => Promise<unknown>> {
  const { accountId, locationId, callIds } = site;
  const range = { accountId, from: daysAgo(DAYS), to: daysAgo(0) };
  let next = 0;
  return {
    [`getMetricsDaily(), ${DAYS} days`]: () => getMetricsDaily(client, range),
    "listRecentCalls(), 50": () => listRecentCalls(client, { accountId }),
    "listRecentCalls(), 50 of a location": () =>
      listRecentCalls(client, { accountId, locationIds: [locationId] }),
    "listRecentCalls(), 50 missed": () => listRecentCalls(client, { accountId, status: "missed" }),
    "calls_v, 50 of the account": () =>
      Promise.resolve(
        client.schema("certus").from("calls_v").select().eq("account_id", accountId).limit(50).throwOnError(),
      ),
    // No call has it: nothing is found, and nothing ends the search.
    "listRecentCalls(), 50 voicemails": () => listRecentCalls(client, { accountId, status: "voicemail" }),
    "getCallDetail()": () => getCallDetail(client, callIds[next++ % callIds.length]!),
  };
}

function queries({ accountId, locationId, callIds }: DashboardSite): Record<string, string> {
  return {
    "list_recent_calls()": `select * from certus.list_recent_calls('${accountId}')`,
    "get_call_detail()": `select certus.get_call_detail('${callIds[0]}')`,
    "a location's calls of 30 days":
      `select * from certus.calls_v where location_id = '${locationId}' and started_at > now() - interval '30 days'`,
    "calls of 7 days by type":
      `select call_type, count(*) from certus.calls_v where account_id = '${accountId}' and started_at > now() - interval '7 days' group by 1`,
  };
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

async function repeat(timings: Timings, step: string, work: () => PromiseLike<unknown>): Promise<void> {
  for (let n = 0; n < WARM_UP; n++) await work();
  for (let n = 0; n < TIMES; n++) await timings.time(step, async () => await work());
}

interface MeasuredQuery {
  userId: string;
  query: string;
  policies: boolean;
}

/** A query as the person, in a transaction as PostgREST has them; without policies the views' owner is let past them. */
async function measureQuery(
  { admin }: DashboardSite,
  { userId, query, policies }: MeasuredQuery,
  tell: (ms: number) => void,
): Promise<void> {
  const claims = JSON.stringify({ sub: userId, role: "authenticated" });
  await admin.unsafe(`alter role certus_reader ${policies ? "nobypassrls" : "bypassrls"}; discard plans`);
  await admin.begin(async (sql) => {
    await sql`select set_config('request.jwt.claims', ${claims}, true), set_config('role', 'authenticated', true)`;
    for (let n = 0; n < WARM_UP + TIMES; n++) {
      const from = performance.now();
      await sql.unsafe(query);
      if (n >= WARM_UP) tell(performance.now() - from);
    }
  }).finally(() => admin`alter role certus_reader nobypassrls`);
}
