-- Calls, orders with updates and upsells, and reservations: what each persona sees of the views and of the bare logs.
begin;
select plan(70);
select tests.create_restaurants();
select tests.create_restaurant_logs();

-- What somebody sees of each view: how many rows, and the phone numbers in them.
create function pg_temp.seen() returns text[] language sql as $$
  select array[
    (select count(*)::text from certus.calls_v), (select count(*)::text from certus.orders_v),
    (select count(*)::text from certus.order_updates_v), (select count(*)::text from certus.upsells_v),
    (select count(*)::text from certus.reservations_v),
    (select string_agg(distinct phone, ', ') from (
      select caller_phone as phone from certus.calls_v union all select customer_phone from certus.orders_v
      union all select customer_phone from certus.reservations_v) phones)];
$$;
-- How many rows somebody sees of the bare logs.
create function pg_temp.bare() returns bigint[] language sql as $$
  select array[(select count(*) from certus_private.call_logs), (select count(*) from certus_private.order_logs),
    (select count(*) from certus_private.reservations)];
$$;
grant execute on function pg_temp.seen, pg_temp.bare to authenticated;

-- acting as the organization's owner
select tests.act_as('Olga');
select is(pg_temp.seen(), array['2', '2', '4', '2', '2', '+442079460018'], 'the organization''s owner sees all of the account, phone numbers whole');
select is(pg_temp.bare(), array[2, 2, 2]::bigint[], 'and as much of the bare logs, as an import does');

-- acting as the organization's admin
select tests.act_as('Adam');
select is(pg_temp.seen(), array['2', '2', '4', '2', '2', '+442079460018'], 'so does its admin');

-- acting as the account's admin
select tests.act_as('Ada');
select is(pg_temp.seen(), array['2', '2', '4', '2', '2', '+442079460018'], 'and the account''s admin');
select is(pg_temp.bare(), array[2, 2, 2]::bigint[], 'in the bare logs too');
select lives_ok($$insert into certus_private.call_logs (account_id, location_id, external_id, started_at) values (md5('bistro')::uuid, md5('soho')::uuid, 'X', now())$$,
  'an admin''s import writes calls');
select lives_ok($$insert into certus_private.order_logs (account_id, location_id, external_id) values (md5('bistro')::uuid, md5('soho')::uuid, 'X')$$, 'orders');
select lives_ok($$insert into certus_private.reservations (account_id, location_id, external_id, reservation_at, guest_count) values (md5('bistro')::uuid, md5('soho')::uuid, 'X', now(), 2)$$, 'and reservations');
select is(tests.touched($$update certus_private.call_logs set caller_name = 'A' where true$$), 3::bigint, 'and corrects its own account''s calls only');
select is(tests.touched($$update certus_private.order_logs set customer_name = 'A' where true$$), 3::bigint, 'orders');
select is(tests.touched($$update certus_private.reservations set customer_name = 'A' where true$$), 3::bigint, 'and reservations');
select throws_ok($$update certus_private.call_logs set account_id = md5('diner')::uuid$$, '42501', null, 'but moves none to another account');
select throws_ok($$delete from certus_private.call_logs$$, '42501', null, 'and deletes no call');
select throws_ok($$delete from certus_private.order_logs$$, '42501', null, 'no order');
select throws_ok($$delete from certus_private.reservations$$, '42501', null, 'no reservation');
select throws_ok($$insert into certus_private.call_logs (account_id, location_id, external_id, started_at) values (md5('diner')::uuid, md5('far')::uuid, 'X', now())$$,
  '42501', null, 'and writes no other account''s calls');
select throws_ok($$insert into certus_private.order_logs (account_id, location_id, external_id) values (md5('diner')::uuid, md5('far')::uuid, 'X')$$, '42501', null, 'orders');
select throws_ok($$insert into certus_private.reservations (account_id, location_id, external_id, reservation_at, guest_count) values (md5('diner')::uuid, md5('far')::uuid, 'X', now(), 2)$$, '42501', null, 'or reservations');
select throws_ok($$insert into certus_private.call_logs (account_id, location_id, external_id, started_at) values (md5('bistro')::uuid, md5('far')::uuid, 'Y', now())$$,
  '23503', null, 'nor calls of another account''s location');
select throws_ok($$select from certus_private.order_updates$$, '42501', null, 'nobody reads bare order updates');
select throws_ok($$select from certus_private.upsells$$, '42501', null, 'nor bare upsells');
select throws_ok($$insert into certus.calls_v (id) values (gen_random_uuid())$$, '42501', null, 'nobody writes through a view of calls');
select throws_ok($$update certus.orders_v set customer_name = 'X'$$, '42501', null, 'of orders');
select throws_ok($$delete from certus.reservations_v$$, '42501', null, 'or of reservations');
select throws_ok($$select from certus.mv_metrics_daily$$, '42501', null, 'nobody reads the materialized view');

-- acting as an operator of one location
select tests.act_as('Otto');
select is(pg_temp.seen(), array['2', '2', '2', '1', '2', '+44 ••• ••• 0018'], 'an operator sees the own location, phone numbers masked');
select is(pg_temp.bare(), array[0, 0, 0]::bigint[], 'and nothing of the bare logs');
select is((select count(*) from certus.calls_v where location_id <> md5('soho')::uuid), 0::bigint, 'no other location''s calls');
select is((select count(*) from certus.calls_v where caller_phone like '%7946%'), 0::bigint, 'nor finds a call by its whole number');
select is((select count(*) from certus.calls_v where id = md5('call MAYFAIR')::uuid), 0::bigint, 'nor a call of another location by its id');
select throws_ok($$insert into certus_private.call_logs (account_id, location_id, external_id, started_at) values (md5('bistro')::uuid, md5('soho')::uuid, 'Z', now())$$,
  '42501', null, 'writes no calls');
select throws_ok($$insert into certus_private.order_logs (account_id, location_id, external_id) values (md5('bistro')::uuid, md5('soho')::uuid, 'Z')$$, '42501', null, 'no orders');
select throws_ok($$insert into certus_private.reservations (account_id, location_id, external_id, reservation_at, guest_count) values (md5('bistro')::uuid, md5('soho')::uuid, 'Z', now(), 2)$$, '42501', null, 'no reservations');
select is(tests.touched($$update certus_private.call_logs set caller_name = 'O' where true$$), 0::bigint, 'changes no calls');
select is(tests.touched($$update certus_private.order_logs set customer_name = 'O' where true$$), 0::bigint, 'no orders');
select is(tests.touched($$update certus_private.reservations set customer_name = 'O' where true$$), 0::bigint, 'no reservations');
select throws_ok($$select from certus.mv_metrics_daily$$, '42501', null, 'reads no materialized view');

-- acting as the views' owner, in the operator's name
create function pg_temp.owner_sees() returns bigint[] language plpgsql as $$
declare
  v_seen bigint[];
begin
  perform set_config('role', 'certus_reader', true);
  v_seen := array[(select count(*) from certus_private.call_logs), (select count(*) from certus_private.order_logs),
    (select count(*) from certus_private.order_updates), (select count(*) from certus_private.upsells),
    (select count(*) from certus_private.reservations), (select count(id) from certus.locations)];
  perform set_config('role', 'authenticated', true);
  return v_seen;
end;
$$;
grant execute on function pg_temp.owner_sees to authenticated;
select tests.act_as('Otto');
select is(pg_temp.owner_sees(), array[2, 2, 2, 1, 2, 1]::bigint[], 'the views'' owner sees nothing but what the person sees');
select tests.act_as_postgres();
select ok(not bool_or(has_table_privilege('certus_reader', c.oid, 'insert, update, delete, truncate')), 'and writes nothing')
from pg_class c where c.relnamespace in ('certus_private'::regnamespace) and c.relkind = 'r';

-- acting as an operator of another location
select tests.act_as('Oona');
select is(pg_temp.seen(), array['1', '1', '2', '1', '1', '+44 ••• ••• 0018'], 'an operator of another location sees that one');
select is((select count(*) from certus.orders_v where location_id = md5('soho')::uuid), 0::bigint, 'and no order of this one');
select is((select count(*) from certus.reservations_v where location_id = md5('soho')::uuid), 0::bigint, 'and no reservation');
select is((select count(*) from certus.order_updates_v where location_id = md5('soho')::uuid), 0::bigint, 'no update');
select is((select count(*) from certus.upsells_v where location_id = md5('soho')::uuid), 0::bigint, 'no upsell');

-- acting as the organization's viewer
select tests.act_as('Vic');
select is(pg_temp.seen(), array['3', '3', '4', '2', '3', '+44 ••• ••• 0018'], 'a viewer sees all of the account, phone numbers masked');
select is(pg_temp.bare(), array[0, 0, 0]::bigint[], 'and nothing of the bare logs');
select throws_ok($$insert into certus_private.call_logs (account_id, location_id, external_id, started_at) values (md5('bistro')::uuid, md5('soho')::uuid, 'Z', now())$$,
  '42501', null, 'and writes none');

-- acting as a colleague without a role in the account
select tests.act_as('Mia');
select is(pg_temp.seen(), array['0', '0', '0', '0', '0', null], 'a member without a role sees nothing');
select is(pg_temp.bare(), array[0, 0, 0]::bigint[], 'anywhere');

-- acting as a stranger
select tests.act_as('Stranger');
select is(pg_temp.seen(), array['1', '1', '2', '1', '1', '+442079460018'], 'a stranger sees the own account only');
select is(pg_temp.bare(), array[1, 1, 1]::bigint[], 'in the bare logs too');
select is((select count(*) from certus.calls_v where account_id = md5('bistro')::uuid), 0::bigint, 'and no call of this one');
select throws_ok($$insert into certus_private.call_logs (account_id, location_id, external_id, started_at) values (md5('bistro')::uuid, md5('soho')::uuid, 'Z', now())$$,
  '42501', null, 'writes none into it');
select is(tests.touched($$update certus_private.call_logs set caller_name = 'S' where account_id = md5('bistro')::uuid$$), 0::bigint, 'and changes none');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from certus.calls_v', '42501', null, 'nobody reads calls without signing in');
select throws_ok('select from certus.orders_v', '42501', null, 'orders');
select throws_ok('select from certus.order_updates_v', '42501', null, 'updates');
select throws_ok('select from certus.upsells_v', '42501', null, 'upsells');
select throws_ok('select from certus.reservations_v', '42501', null, 'reservations');
select throws_ok('select from certus.metrics_daily_v', '42501', null, 'metrics');
select throws_ok('select from certus_private.call_logs', '42501', null, 'or the bare logs');

-- acting as the service
select tests.act_as_service();
select throws_ok('select from certus.mv_metrics_daily', '42501', null, 'the secret key does not read the materialized view either');
select is((select count(*) from certus_private.call_logs), 4::bigint, 'but the logs, which it writes');

-- acting as the worker
select tests.act_as_postgres();
select ok(bool_and(has_table_privilege('longshore_worker', t, 'maintain')
    and not has_table_privilege('longshore_worker', t, 'select, insert, update, delete')),
  'the worker may vacuum the logs and nothing else')
from unnest(array['certus_private.call_logs', 'certus_private.order_logs', 'certus_private.reservations']) t;

-- what the views make of what providers say
select is((select array[status, call_type, duration_seconds::text, (ended_at - started_at)::text] from certus.calls_v where id = md5('call SOHO')::uuid),
  null, 'postgres itself sees no call through a view: nobody is signed in');
select tests.act_as('Ada');
select is((select array[status, call_type, duration_seconds::text] from certus.calls_v where id = md5('call SOHO')::uuid),
  array['completed', 'reservation', '120'], 'a call has the normalized status and type, and a duration');
select is((select array[status, fulfillment_type, subtotal_amount::text, tax_amount::text, service_charge_amount::text, delivery_amount::text, total_amount::text]
  from certus.orders_v where id = md5('order SOHO')::uuid),
  array['pending', 'other', '20.00', '4.00', '0.00', '0.00', '24.00'], 'an order has all its amounts');
select is((select estimated_revenue from certus.reservations_v where id = md5('reservation SOHO')::uuid), 120.00,
  'a reservation is worth its guests times the location''s figure');
select is((select estimated_revenue from certus.reservations_v where id = md5('reservation MAYFAIR')::uuid), 200.00, 'which differs by location');
select results_eq($$select external_id from certus.calls_v where location_id = md5('soho')::uuid$$, $$values ('X'), ('C-SOHO')$$, 'the newest call comes first');

select * from finish();
rollback;
