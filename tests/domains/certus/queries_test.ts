/** The typed queries of Certus, through PostgREST as an app makes them. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { LongshoreClientError } from "../../../shared/client/client_error.ts";
import { getCallDetail, getMetricsDaily, listRecentCalls } from "../../../shared/domains/certus/queries.ts";
import { type Importer, importer } from "../../helpers/imports.ts";
import { makeRestaurants, type Restaurants } from "../../helpers/restaurants.ts";
import { testStack } from "../../helpers/stack.ts";

const stack = await testStack();

Deno.test("listRecentCalls() pages from the newest call on, by status, type and location", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  await logCalls(lab, restaurants, 10);
  const { accountId, locationIds: { SOHO } } = restaurants;
  const { client } = lab.person;
  const ids = async (options = {}) =>
    (await listRecentCalls(client, { accountId, ...options })).map((call) => call.external_id);

  const page = await listRecentCalls(client, { accountId, limit: 4 });
  assertEquals(page.map((call) => call.external_id), ["C-9", "C-8", "C-7", "C-6"]);
  assert(!("transcript_md" in page[0]!));
  assertEquals(await ids({ after: page.at(-1), limit: 2 }), ["C-5", "C-4"]);
  assertEquals(await ids({ locationIds: [SOHO], limit: 2 }), ["C-8", "C-6"]);
  assertEquals(await ids({ status: "missed" }), ["C-9", "C-6", "C-3", "C-0"]);
  assertEquals(await ids({ callType: "reservation", status: "missed" }), []);
  assertEquals(page[0]!.caller_phone, "+447700900009");

  await lab
    .admin`update certus_private.call_logs set started_at = '2026-03-01 12:00+00' where account_id = ${accountId}`;
  const first = await listRecentCalls(client, { accountId, limit: 7 });
  const rest = await listRecentCalls(client, { accountId, after: first.at(-1)!, limit: 7 });
  assertEquals(
    new Set([...first, ...rest].map((call) => call.id)).size,
    10,
    "calls of one second are listed once each",
  );

  const operator = await restaurants.addOperator(stack, ["SOHO"]);
  const seen = await listRecentCalls(operator.client, { accountId });
  assertEquals(seen.map((call) => call.external_id).sort(), ["C-0", "C-2", "C-4", "C-6", "C-8"]);
  assertEquals(seen.find((call) => call.external_id === "C-8")?.caller_phone, "+44 ••• ••• 0008");
});

Deno.test("getMetricsDaily() adds up the locations that the person reads", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  const { accountId, locationIds: { MAYFAIR } } = restaurants;
  await logCalls(lab, restaurants, 10);
  await lab.admin`refresh materialized view concurrently certus.mv_metrics_daily`;
  const range = { accountId, from: "2026-03-01", to: "2026-03-31" };
  const operator = await restaurants.addOperator(stack, ["SOHO"]);

  const [day, ...others] = await getMetricsDaily(lab.person.client, range);
  assertEquals([day?.local_date, day?.total_calls, day?.order_calls, others.length], [
    "2026-03-01",
    10,
    10,
    0,
  ]);
  assertEquals((await getMetricsDaily(operator.client, range))[0]?.total_calls, 5);
  assertEquals(
    (await getMetricsDaily(lab.person.client, { ...range, locationIds: [MAYFAIR] }))[0]?.total_calls,
    5,
  );
  assertEquals(await getMetricsDaily(operator.client, { ...range, locationIds: [MAYFAIR] }), []);
  await assertRejects(() => getMetricsDaily(lab.person.client, { ...range, from: "2020-01-01" }), RangeError);
});

Deno.test("getCallDetail() brings a call with all that hangs on it, or call_not_found", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  const { accountId, locationIds: { SOHO } } = restaurants;
  await logCalls(lab, restaurants, 2);
  const [call] = await listRecentCalls(lab.person.client, { accountId, locationIds: [SOHO] });
  const [order] = await lab.admin<{ id: string }[]>`
    insert into certus_private.order_logs (account_id, location_id, call_id, external_id, reported_total)
    values (${accountId}, ${SOHO}, ${call!.id}, 'O-1', 20) returning id`;
  await lab.admin`insert into certus_private.order_updates (order_id, location_id, status) values (${
    order!.id
  }, ${SOHO}, 'cooking')`;
  await lab.admin`insert into certus_private.upsells (order_id, location_id, item) values (${
    order!.id
  }, ${SOHO}, 'Olives')`;
  await lab.admin`
    insert into certus_private.reservations (account_id, location_id, call_id, external_id, reservation_at, guest_count)
    values (${accountId}, ${SOHO}, ${call!.id}, 'R-1', now(), 2)`;
  await lab.person.client.schema("certus").from("internal_notes")
    .insert({ account_id: accountId, location_id: SOHO, call_id: call!.id, body: "Call back" })
    .throwOnError();

  const operator = await restaurants.addOperator(stack, ["SOHO"]);
  const detail = await getCallDetail(operator.client, call!.id);
  assertEquals(detail.call.caller_phone, "+44 ••• ••• 0000");
  assertEquals(
    detail.orders.map((
      { total_amount, updates, upsells },
    ) => [total_amount, updates[0]?.status, upsells[0]?.item]),
    [
      [20, "cooking", "Olives"],
    ],
  );
  assertEquals(detail.reservations.map(({ estimated_revenue }) => estimated_revenue), [60]);
  assertEquals(detail.notes.map(({ body, author_id }) => [body, author_id]), [[
    "Call back",
    lab.person.userId,
  ]]);

  const stranger = await restaurants.addOperator(stack, ["MAYFAIR"]);
  const error = await assertRejects(() => getCallDetail(stranger.client, call!.id), LongshoreClientError);
  assertEquals([error.code, error.status], ["call_not_found", 404]);
});

/** Calls C-0, C-1, … a minute after each other, in turns of the two locations; every third is missed. */
async function logCalls(
  { admin }: Importer,
  { accountId, locationIds: { SOHO, MAYFAIR } }: Restaurants,
  count: number,
): Promise<void> {
  await admin`
    insert into certus_private.call_logs
      (account_id, location_id, external_id, provider_status, provider_call_type, started_at, caller_phone, transcript_md)
    select ${accountId}, case when n % 2 = 0 then ${SOHO}::uuid else ${MAYFAIR}::uuid end, 'C-' || n,
      case when n % 3 = 0 then 'missed' else 'completed' end, 'order', '2026-03-01 12:00+00'::timestamptz + n * interval '1 minute',
      '+44770090000' || n, 'Hello'
    from generate_series(0, ${count}::integer - 1) n`;
}
