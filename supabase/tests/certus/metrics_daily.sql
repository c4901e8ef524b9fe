begin;
select plan(20);
select tests.create_restaurants();
update certus.locations set time_zone = 'America/New_York' where id = md5('mayfair')::uuid;
insert into certus_private.call_logs (account_id, location_id, external_id, provider_status, provider_call_type, started_at, reported_duration_seconds)
select l.account_id, l.id, v.n || l.code, v.status, v.call_type, v.started_at, v.seconds from certus.locations l
cross join (values
  ('1', 'completed', 'order', '2026-03-02 03:00+00'::timestamptz, 90),
  ('2', 'transferred', 'booking', '2026-03-02 03:00+00', 600),
  ('3', 'completed', 'faq', '2026-03-02 12:00+00', 30)) v (n, status, call_type, started_at, seconds)
where l.account_id = md5('bistro')::uuid and v.n || l.code in ('1SOHO', '2SOHO', '3SOHO', '1MAYFAIR')
  or l.id = md5('far')::uuid and v.n = '1';
insert into certus_private.order_logs (account_id, location_id, external_id, provider_status, reported_total, created_at) values
  (md5('bistro')::uuid, md5('soho')::uuid, '1', 'paid', 20.50, '2026-03-02 12:00+00'),
  (md5('bistro')::uuid, md5('soho')::uuid, '2', 'cancelled', 99, '2026-03-02 12:00+00'),
  (md5('bistro')::uuid, md5('soho')::uuid, '3', 'new', 4.25, '2026-03-04 12:00+00');
insert into certus_private.reservations (account_id, location_id, external_id, provider_status, reservation_at, guest_count, created_at) values
  (md5('bistro')::uuid, md5('soho')::uuid, '1', 'booked', '2026-04-01 19:00+00', 3, '2026-03-02 12:00+00'),
  (md5('bistro')::uuid, md5('soho')::uuid, '2', 'no-show', '2026-03-02 19:00+00', 3, '2026-03-02 12:00+00');
refresh materialized view certus.mv_metrics_daily;

create function pg_temp.days() returns setof text language sql as $$
  select concat_ws(' ', l.code, m.local_date, m.total_calls, m.order_calls, m.reservation_calls, m.catering_calls, m.general_calls,
    m.other_calls, m.orders_count, m.reservations_count, m.total_revenue_orders, m.total_revenue_res_estimate, m.minutes_saved)
  from certus.metrics_daily_v m join certus.locations l on l.id = m.location_id order by 1;
$$;
grant execute on function pg_temp.days to authenticated;

-- acting as the account's admin
select tests.act_as('Ada');
select results_eq('select pg_temp.days()', $$values
  ('MAYFAIR 2026-03-01 1 1 0 0 0 0 0 0 0.00 0.00 1.5'),
  ('SOHO 2026-03-02 3 1 1 0 1 0 1 1 20.50 90.00 2.0'),
  ('SOHO 2026-03-04 0 0 0 0 0 0 1 0 4.25 0.00 0.0')$$,
  'days are local, cancelled orders and empty tables do not count, transferred calls save no time, a day without calls is there');
select results_eq($$select local_date, total_calls, total_revenue_orders, minutes_saved
  from certus.get_metrics_daily(md5('bistro')::uuid, '2026-03-01', '2026-03-03')$$,
  $$values ('2026-03-01'::date, 1::bigint, 0.00, 1.5), ('2026-03-02', 3, 20.50, 2.0)$$, 'an account''s days are added up over its locations');
select is((select count(*) from certus.get_metrics_daily(md5('bistro')::uuid, '2026-03-01', '2026-03-31', array[md5('mayfair')::uuid])),
  1::bigint, 'or over some of them');
select is((select count(*) from certus.get_metrics_daily(md5('diner')::uuid, '2026-03-01', '2026-03-31')), 0::bigint, 'another account has none for her');
-- acting as the organization's owner, its admin and its viewer
select tests.act_as(p), is((select count(*) from certus.metrics_daily_v), 3::bigint, p || ' sees every location')
from unnest(array['Olga', 'Adam', 'Vic']) p;
-- acting as operators
select tests.act_as('Otto');
select is((select count(*) from certus.metrics_daily_v), 2::bigint, 'an operator sees the own location');
select is((select sum(total_calls) from certus.get_metrics_daily(md5('bistro')::uuid, '2026-03-01', '2026-03-31')), 3::numeric, 'and adds up that alone');
select is((select count(*) from certus.get_metrics_daily(md5('bistro')::uuid, '2026-03-01', '2026-03-31', array[md5('mayfair')::uuid])),
  0::bigint, 'whatever location is asked for');
select tests.act_as('Oona');
select results_eq('select pg_temp.days()', $$values ('MAYFAIR 2026-03-01 1 1 0 0 0 0 0 0 0.00 0.00 1.5')$$, 'another operator another');
-- acting as a colleague, a stranger and anonymous
select tests.act_as('Mia');
select is((select count(*) from certus.metrics_daily_v), 0::bigint, 'a member without a role sees none');
select tests.act_as('Stranger');
select results_eq('select pg_temp.days()', $$values ('FAR 2026-03-02 1 1 0 0 0 0 0 0 0.00 0.00 1.5')$$, 'a stranger sees the own account');
select throws_ok($$update certus.metrics_daily_v set total_calls = 0$$, '55000', null, 'nobody writes metrics');
select tests.act_as_anonymous();
select throws_ok($$select certus.get_metrics_daily(md5('bistro')::uuid, '2026-03-01', '2026-03-31')$$, '42501', null, 'nobody asks without signing in');

select tests.act_as_postgres();
select ok(not has_table_privilege(r, 'certus.mv_metrics_daily', 'select'), r || ' may not read the materialized view')
from unnest(array['anon', 'authenticated', 'longshore_worker']) r;

-- acting as an account whose file has the largest amounts that there are
insert into certus_private.order_logs (account_id, location_id, external_id, provider_status, reported_total, created_at)
select md5('diner')::uuid, md5('far')::uuid, 'most ' || n, 'paid', 9999999999.99, '2026-03-02 12:00+00' from generate_series(1, 10001) n;
insert into certus_private.reservations (account_id, location_id, external_id, reservation_at, guest_count, avg_spend_per_head_override, created_at)
select md5('diner')::uuid, md5('far')::uuid, 'most ' || n, '2026-04-01 19:00+00', 1000, 99999999.99, '2026-03-02 12:00+00'
from generate_series(1, 1001) n;
insert into certus_private.call_logs (account_id, location_id, external_id, started_at, reported_duration_seconds)
select md5('diner')::uuid, md5('far')::uuid, 'most ' || n, '2026-03-02 12:00+00', 2147483647 from generate_series(1, 3000) n;
select lives_ok('refresh materialized view certus.mv_metrics_daily', 'no account can stop the counting for the others');
select tests.act_as('Stranger');
select results_eq($$select total_revenue_orders, total_revenue_res_estimate, minutes_saved from certus.metrics_daily_v$$,
  $$values (100009999999899.99, 100099999989990.00, 107374182351.5)$$, 'and every sum is exact');
select tests.act_as_postgres();
select * from finish();
rollback;
