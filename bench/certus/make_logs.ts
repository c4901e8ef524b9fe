/**
 * Restaurants of an organization and what their phone assistants did within a year, up to now: calls, an order for four
 * of ten, a reservation for one of seven. In: the database as superuser and how much. Out: the tables of Certus, filled
 * and analyzed. Foreign keys hold by the way it is made and are not checked row by row.
 */
import type postgres from "postgres";

export interface MakeLogsOptions {
  orgId: string;
  calls: number;
  /** @default 200 */
  locations?: number;
  /** Locations of an account. @default 20 */
  locationsPerAccount?: number;
  /** @default 365 */
  days?: number;
}

export async function makeLogs(
  admin: postgres.Sql,
  { orgId, calls, locations = 200, locationsPerAccount = 20, days = 365 }: MakeLogsOptions,
): Promise<void> {
  await admin.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`select setseed(0.5)`;
    await sql`
      insert into certus.accounts (org_id, name)
      select ${orgId}, 'Account ' || n from generate_series(1, ${
      Math.ceil(locations / locationsPerAccount)
    }) n`;
    await sql`
      with accounts as (
        select id, row_number() over (order by created_at, id) - 1 as place from certus.accounts where org_id = ${orgId}
      )
      insert into certus.locations (account_id, code, name, time_zone, avg_spend_per_head)
      select a.id, 'L' || n, 'Location ' || n,
        (array['Europe/London', 'Europe/Berlin', 'America/New_York', 'Australia/Sydney'])[1 + n % 4], 20 + n % 30
      from generate_series(0, ${locations - 1}) n
      join accounts a on a.place = n / ${locationsPerAccount}::integer`;
    await addCalls(sql, { orgId, calls, days });
  });
  for (const table of ["call_logs", "order_logs", "reservations"]) {
    await admin.unsafe(`vacuum (analyze) certus_private.${table}`);
  }
  await admin`analyze certus.accounts, certus.locations`;
}

export interface AddCallsOptions {
  orgId: string;
  calls: number;
  /** How far back they go. */
  days: number;
}

/** Calls of the organization's locations, with their orders and reservations. */
export async function addCalls(
  sql: postgres.Sql | postgres.TransactionSql,
  { orgId, calls, days }: AddCallsOptions,
): Promise<void> {
  await sql`
    with locations as (
      select l.id, l.account_id, row_number() over (order by l.account_id, l.id) - 1 as place, count(*) over () as among
      from certus.locations l join certus.accounts a on a.id = l.account_id
      where a.org_id = ${orgId}
    ), calls as (
      insert into certus_private.call_logs (
        account_id, location_id, external_id, caller_phone, provider_status, provider_call_type, started_at, ended_at,
        summary_md, transcript_md
      )
      select
        l.account_id, l.id, gen_random_uuid(), '+4420' || (10000000 + n % 90000000),
        (array['completed', 'completed', 'completed', 'transferred', 'missed'])[1 + n % 5],
        (array['order', 'order', 'reservation', 'general', 'other', 'order', 'catering'])[1 + n % 7],
        t.at, t.at + make_interval(secs => 20 + n % 400),
        'Asked for a table or for food, call ' || n,
        repeat('**Caller**: what the person said. **Assistant**: what was answered. ', 1 + n % 8)
      from generate_series(1, ${calls}) n
      join locations l on l.place = n % l.among
      cross join lateral (
        select clock_timestamp() - make_interval(secs => 600 + random() * ${days} * 86400) + make_interval(secs => 0 * n) as at
      ) t
      returning id, account_id, location_id, started_at, call_type, caller_phone
    ), numbered as (
      select c.*, row_number() over () as n from calls c
    ), orders as (
      insert into certus_private.order_logs (
        account_id, location_id, call_id, external_id, customer_phone, provider_status, reported_subtotal, reported_tax,
        reported_total, created_at
      )
      select
        account_id, location_id, id, gen_random_uuid(), caller_phone,
        (array['completed', 'completed', 'completed', 'cancelled'])[1 + n % 4],
        10 + n % 60, 2 + n % 10, 12 + n % 60 + n % 10, started_at + interval '2 min'
      from numbered where n % 5 < 2
    )
    insert into certus_private.reservations (
      account_id, location_id, call_id, external_id, customer_phone, reservation_at, guest_count, created_at
    )
    select
      account_id, location_id, id, gen_random_uuid(), caller_phone, started_at + make_interval(days => (1 + n % 14)::integer),
      1 + n % 8, started_at + interval '1 min'
    from numbered where n % 7 = 0`;
}
