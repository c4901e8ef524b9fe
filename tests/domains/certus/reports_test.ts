/** Certus's reports over HTTP: what an admin and an operator get of the same account, narrowed by filters. */
import { assertEquals } from "@std/assert";
import { type Importer, importer, post } from "../../helpers/imports.ts";
import { makeRestaurants, type Restaurants } from "../../helpers/restaurants.ts";
import { testStack } from "../../helpers/stack.ts";

const stack = await testStack();

Deno.test("certus.calls is narrowed by type, status, dates, duration and location, and masks phone numbers for operators", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  await logCalls(lab, restaurants);
  const operator = lab.as(await restaurants.addOperator(stack, ["SOHO"]));
  const ids = async (who: Importer, filters: Record<string, unknown> = {}) =>
    (await rowsOf(who, "certus.calls", { account_id: restaurants.accountId, ...filters })).map((row) =>
      row.external_id
    );

  assertEquals(await ids(lab), ["C-4", "C-3", "C-2", "C-1"]);
  assertEquals(await ids(lab, { call_type: "order", status: ["completed", "missed"] }), ["C-2", "C-1"]);
  assertEquals(await ids(lab, { duration: ["under_30_seconds", "10_minutes_and_more"] }), ["C-4", "C-2"]);
  assertEquals(await ids(lab, { started_at_from: "2026-03-02", started_at_to: "2026-03-02" }), [
    "C-3",
    "C-2",
  ]);
  // Half past eleven in the evening of UTC is the next day in Paris.
  assertEquals(await ids(lab, { local_date_from: "2026-03-03", local_date_to: "2026-03-03" }), [
    "C-4",
    "C-3",
  ]);
  assertEquals(await ids(lab, { location: "MAYFAIR" }), ["C-4", "C-3"]);
  assertEquals(await ids(operator), ["C-2", "C-1"]);
  assertEquals(await ids(operator, { location_id: restaurants.locationIds.MAYFAIR }), []);

  const phones = async (who: Importer) =>
    (await rowsOf(who, "certus.calls", { account_id: restaurants.accountId, location: "SOHO" })).map((row) =>
      row.caller_phone
    );
  assertEquals(await phones(lab), [null, "+447700900123"]);
  assertEquals(await phones(operator), [null, "+44 ••• ••• 0123"]);
});

Deno.test("certus.orders and certus.metrics_daily tell what the account made, by location", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  const { accountId: account_id, locationIds } = restaurants;
  await logCalls(lab, restaurants);
  await lab.admin`
    insert into certus_private.order_logs (account_id, location_id, external_id, provider_status, reported_total, created_at)
    values (${account_id}, ${locationIds.SOHO}, 'O-1', 'paid', 12.5, '2026-03-02 12:00+00'),
      (${account_id}, ${locationIds.MAYFAIR}, 'O-2', 'void', 99, '2026-03-01 12:00+00')`;
  await lab.admin`refresh materialized view concurrently certus.mv_metrics_daily`;

  const orders = await rowsOf(lab, "certus.orders", { account_id, total_from: 10 });
  assertEquals(
    orders.map((
      { external_id, location, status, total, currency },
    ) => [external_id, location, status, total, currency]),
    [["O-1", "SOHO", "completed", 12.5, "GBP"], ["O-2", "MAYFAIR", "cancelled", 99, "GBP"]],
  );
  assertEquals((await rowsOf(lab, "certus.orders", { account_id, status: "cancelled" })).length, 1);

  const days = await rowsOf(lab, "certus.metrics_daily", { account_id, local_date_from: "2026-03-02" });
  assertEquals(
    days.map((
      day,
    ) => [day.local_date, day.location, day.total_calls, day.order_calls, day.total_revenue_orders]),
    [["2026-03-02", "SOHO", 1, 1, 12.5], ["2026-03-03", "MAYFAIR", 2, 1, 0]],
  );
});

Deno.test("a workbook of certus.calls can be imported again", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  await logCalls(lab, restaurants);
  const scope = { account_id: restaurants.accountId };
  const workbook = await fileOf(lab, { report: "certus.calls", format: "xlsx", filters: scope });
  const check = await lab.check(new Uint8Array(await workbook.arrayBuffer()), {
    name: "calls.xlsx",
    dataset: "certus.calls",
    scope,
    options: { mode: "upsert" },
  });
  assertEquals(check.problems, []);
  const { insert, update, unchanged } = check.job.result?.would as Record<string, number>;
  assertEquals([insert, update! + unchanged!], [0, 4]);
});

Deno.test("certus reports are refused to who has no role in the account", async () => {
  await using lab = await importer(stack);
  const { accountId } = await makeRestaurants(lab.person.client, lab.orgId);
  await using elsewhere = await importer(stack);
  for (const report of ["certus.calls", "certus.orders", "certus.metrics_daily"]) {
    const { status, body } = await post(elsewhere, "export", {
      body: { report, format: "csv", filters: { account_id: accountId } },
    });
    assertEquals([status, body.code], [403, "not_allowed"]);
  }
});

/** Two calls in Soho, which has London's time, and two in Mayfair, which is given that of Paris. */
async function logCalls({ admin }: Importer, { accountId, locationIds }: Restaurants): Promise<void> {
  await admin`update certus.locations set time_zone = 'Europe/Paris' where id = ${locationIds.MAYFAIR}`;
  const { SOHO, MAYFAIR } = locationIds;
  const calls = [
    [SOHO, "C-1", "completed", "order", "2026-03-01 12:00+00", 60, "+447700900123"],
    [SOHO, "C-2", "missed", "order", "2026-03-02 12:00+00", 0, null],
    [MAYFAIR, "C-3", "completed", "booking", "2026-03-02 23:30+00", 200, null],
    [MAYFAIR, "C-4", "transferred", "order", "2026-03-03 12:00+00", 600, null],
  ] as const;
  for (const [location, id, status, type, startedAt, seconds, phone] of calls) {
    await admin`
      insert into certus_private.call_logs (account_id, location_id, external_id, provider_status, provider_call_type,
        started_at, reported_duration_seconds, caller_phone)
      values (${accountId}, ${location}, ${id}, ${status}, ${type}, ${startedAt}, ${seconds}, ${phone})`;
  }
}

/** A report as the person gets it. */
async function rowsOf(
  who: Importer,
  report: string,
  filters: Record<string, unknown>,
): Promise<Record<string, unknown>[]> {
  const file = await fileOf(who, { report, format: "ndjson", filters });
  return (await file.text()).split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

async function fileOf(who: Importer, request: Record<string, unknown>): Promise<Blob> {
  const { status, body } = await post(who, "export", { body: request });
  assertEquals(status, 202, JSON.stringify(body));
  const { job } = await who.follow(body.job.id);
  assertEquals(job.error, null);
  const { bucket, path } = job.result?.file as { bucket: string; path: string };
  const { data, error } = await who.person.client.storage.from(bucket).download(path);
  if (error) throw error;
  return data;
}
