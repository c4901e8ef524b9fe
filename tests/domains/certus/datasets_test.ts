/** Historical calls, orders and reservations: files in both formats, over HTTP, against what their .json says. */
import { assert, assertEquals } from "@std/assert";
import { type Importer, importer, post } from "../../helpers/imports.ts";
import { makeRestaurants, type Restaurants } from "../../helpers/restaurants.ts";
import { testStack } from "../../helpers/stack.ts";

interface Expected {
  would: Record<string, number>;
  columns: Record<string, unknown>;
  problems: Record<string, unknown>[];
  table: Record<string, unknown>[];
}

const stack = await testStack();

for (const name of ["calls", "calls_bad", "orders", "orders_bad", "reservations", "reservations_bad"]) {
  for (const format of ["csv", "xlsx"] as const) {
    Deno.test(`import gives for certus ${name}.${format} what ${name}.json says`, async () => {
      await using lab = await importer(stack);
      const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
      const kind = name.replace("_bad", "");
      const request = { dataset: `certus.${kind}`, scope: { account_id: restaurants.accountId } };
      const fixture = new URL(`../../fixtures/certus/${name}`, import.meta.url).href;
      const expected: Expected = JSON.parse(await Deno.readTextFile(new URL(`${fixture}.json`)));
      await lab.admin`
        insert into certus_private.call_logs (account_id, location_id, external_id, started_at)
        values (${restaurants.accountId}, ${restaurants.locationIds.SOHO}, 'CA-OLD', '2026-01-01 12:00+00')`;

      const bytes = await Deno.readFile(new URL(`${fixture}.${format}`));
      const check = await lab.check(bytes, { ...request, name: `${name}.${format}` });
      assertEquals(check.job.error, null);
      const { rows, invalid, would, columns, guarantee } = check.job.result ?? {};
      const invalidRows = new Set(expected.problems.map(({ row }) => row)).size;
      assertEquals(
        check.problems.map(({ row, column, heading, code, message, value }) => ({
          row,
          column,
          heading,
          code,
          message,
          value,
        })),
        expected.problems as unknown[],
      );
      assertEquals({ rows, invalid, would, columns, guarantee }, {
        rows: expected.table.length + invalidRows,
        invalid: invalidRows,
        would: expected.would,
        columns: expected.columns,
        guarantee: "exact",
      });

      const commit = await lab.commit(check, { policy: "valid_rows" });
      assertEquals(commit.job.result, {
        inserted: expected.table.length,
        updated: 0,
        unchanged: 0,
        skipped: invalidRows,
        failed: 0,
      });
      assertEquals(await tableOf(kind, { lab, restaurants }), expected.table);
    });
  }
}

Deno.test("import of calls updates what is there, and leaves alone what is the same", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  const request = { dataset: "certus.calls", scope: { account_id: restaurants.accountId } };
  const file = (phone: string) =>
    `Call ID,Location,Started at,Phone\nCA-1,SOHO,2026-03-01T19:05:00Z,${phone}\nCA-2,SOHO,2026-03-01T19:05:00Z,\n`;
  await lab.commit(await lab.check(file("+44 20 7946 0018"), request));
  const upsert = { ...request, options: { mode: "upsert" } };

  const again = await lab.check(file("+44 20 7946 0018"), upsert);
  assertEquals(again.job.result?.would, { insert: 0, update: 0, unchanged: 2 });
  const corrected = await lab.check(file("+44 20 7946 0019"), upsert);
  assertEquals(corrected.job.result?.would, { insert: 0, update: 1, unchanged: 1 });
  await lab.commit(corrected);
  const { data } = await lab.person.client.schema("certus").from("calls_v").select("caller_phone")
    .eq("external_id", "CA-1").throwOnError();
  assertEquals(data, [{ caller_phone: "+44 20 7946 0019" }]);
});

Deno.test("import of orders counts calls anew that came just before, so that none is looked for in all of them", async () => {
  await using lab = await importer(stack);
  const { accountId, locationIds: { SOHO } } = await makeRestaurants(lab.person.client, lab.orgId);
  await lab.admin.begin(async (sql) => {
    await sql`select pg_stat_force_next_flush()`;
    await sql`
      insert into certus_private.call_logs (account_id, location_id, external_id, started_at)
      select ${accountId}, ${SOHO}, 'CA-' || n, now() from generate_series(1, 6000) n`;
  });
  const file = "Order ID,Location,Call ID,Ordered at\nO-1,SOHO,CA-5999,2026-03-01T19:07:00Z\n";
  const check = await lab.check(file, { dataset: "certus.orders", scope: { account_id: accountId } });
  assertEquals(check.problems, []);
  const [known] = await lab.admin<{ rows: number }[]>`
    select reltuples::integer as rows from pg_class where oid = 'certus_private.call_logs'::regclass`;
  assert(known!.rows >= 6000, `found ${known!.rows} rows in the planner's mind, expected at least 6000`);
});

Deno.test("import of orders takes NaN and infinity for no amounts", async () => {
  await using lab = await importer(stack);
  const { accountId } = await makeRestaurants(lab.person.client, lab.orgId);
  const amounts = ["NaN", "nan", "Infinity", "-inf", "12.50"];
  const file = [
    "Order ID,Location,Ordered at,Total",
    ...amounts.map((amount, n) => `O-${n},SOHO,2026-03-01T19:07:00Z,${amount}`),
  ];
  const check = await lab.check(file.join("\n"), {
    dataset: "certus.orders",
    scope: { account_id: accountId },
  });
  assertEquals(
    check.problems.map(({ row, column, code }) => [row, column, code]),
    [2, 3, 4, 5].map((row) => [row, "total", "invalid_number"]),
  );
});

Deno.test("a phone number of an import is in no job, preview, problem or message", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  const request = { dataset: "certus.calls", scope: { account_id: restaurants.accountId } };
  const file = [
    "Call ID,Location,Started at,Phone",
    "CA-1,SOHO,2026-03-01T19:05:00Z,+44 7700 900123",
    "CA-2,SOHO,2026-03-01T19:05:00Z,x7700 900123",
    "CA-3,SOHO,2026-03-01T19:05:00Z,+44 7700 900123 7700 900123 7700",
    "CA-4,NOPE,2026-03-01T19:05:00Z,+44 7700 900123",
  ].join("\n");
  const check = await lab.check(file, request);
  assertEquals(check.problems.map(({ row, code }) => [row, code]), [
    [3, "rule_violated"],
    [4, "too_long"],
    [5, "unknown_reference"],
  ]);
  const commit = await lab.commit(check, { policy: "valid_rows" });
  const kept = await lab.admin`
    select cursor, progress, last_error from jobs_private.job_state where job_id in ${
    lab.admin([check.job.id, commit.job.id])
  }`;
  const told = JSON.stringify([check, commit, kept]);
  assert(!/7700/.test(told), told);
  // The owner's own file of problems has the rows as they were.
  assert((await lab.problemsFile(check)).includes("x7700 900123"));
});

Deno.test("an operator imports nothing, and neither does a stranger", async () => {
  await using lab = await importer(stack);
  const restaurants = await makeRestaurants(lab.person.client, lab.orgId);
  const operator = await restaurants.addOperator(stack, ["SOHO"]);
  await using elsewhere = await importer(stack);
  for (const other of [lab.as(operator), elsewhere]) {
    for (const dataset of ["certus.calls", "certus.orders", "certus.reservations"]) {
      const file = await other.upload("Call ID\nCA-1\n").catch(() => ({
        bucket: "imports",
        path: "nowhere",
      }));
      const { status, body } = await post({ stack, person: other.person }, "import", {
        body: { dataset, scope: { account_id: restaurants.accountId }, file },
      });
      assertEquals([status, body.code], [403, "not_allowed"]);
    }
  }
});

/** What the person reads of the account now, the newest first, but for ids and the old call. */
async function tableOf(
  kind: string,
  { lab, restaurants: { accountId, locationIds } }: { lab: Importer; restaurants: Restaurants },
): Promise<Record<string, unknown>[]> {
  const certus = lab.person.client.schema("certus");
  const codes = new Map(Object.entries(locationIds).map(([code, id]) => [id, code]));
  const { data: calls } = await certus.from("calls_v").select("id, external_id").eq("account_id", accountId)
    .throwOnError();
  const callIds = new Map(calls.map(({ id, external_id }) => [id, external_id]));
  const { data } = await certus.from(`${kind}_v`).select(COLUMNS[kind]!).eq("account_id", accountId)
    .neq("external_id", "CA-OLD").throwOnError();
  return (data as unknown as Record<string, string>[]).map(({ location_id, call_id, ...row }) => ({
    ...row,
    location: codes.get(location_id!),
    ...(kind === "orders" ? { call: call_id === null ? null : callIds.get(call_id) } : {}),
  }));
}

const COLUMNS: Record<string, string> = {
  calls:
    "external_id, location_id, started_at, ended_at, status, call_type, duration_seconds, caller_phone, caller_name, summary_md",
  orders:
    "external_id, location_id, call_id, created_at, status, fulfillment_type, customer_name, customer_phone, subtotal_amount, tax_amount, service_charge_amount, delivery_amount, total_amount",
  reservations:
    "external_id, location_id, reservation_at, created_at, status, guest_count, customer_name, customer_phone, avg_spend_per_head_override, estimated_revenue, notes",
};
