-- list_recent_calls() and get_call_detail(), by persona.
begin;
select plan(46);
select tests.create_restaurants();
select tests.create_restaurant_logs();
insert into certus_private.call_logs (id, account_id, location_id, external_id, caller_phone, provider_status, provider_call_type, started_at, reported_duration_seconds)
select md5('more ' || n)::uuid, md5('bistro')::uuid, md5(case when n % 3 = 0 then 'mayfair' else 'soho' end)::uuid, 'M-' || n, '+12025550123',
  case when n % 2 = 0 then 'missed' else 'completed' end, 'order', '2026-03-02'::timestamptz + n * interval '1 minute', 1
from generate_series(1, 60) n;
create function pg_temp.listed(variadic p_arguments text[]) returns text[] language plpgsql as $$
declare
  v_found text[];
begin
  execute format('select array_agg(c.external_id) from certus.list_recent_calls(%s) c', array_to_string(p_arguments, ', ')) into v_found;
  return v_found;
end;
$$;
grant execute on function pg_temp.listed to authenticated;

-- acting as the account's admin
select tests.act_as('Ada');
select is(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 3'), array['M-60', 'M-59', 'M-58'], 'an admin lists the newest calls first');
select is(cardinality(pg_temp.listed($$md5('bistro')::uuid$$)), 50, 'fifty where nothing else is said');
select is(cardinality(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 1000000')), 62, 'all there are');
select is(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 0'), null, 'or none');
select is(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 2', $$p_before => '2026-03-02 00:03+00'$$), array['M-2', 'M-1'], 'those before a time');
select is(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 2', $$p_status => 'missed'$$), array['M-60', 'M-58'], 'of a status');
select is(pg_temp.listed($$md5('bistro')::uuid$$, $$p_call_type => 'reservation'$$, $$p_location_ids => array[md5('soho')::uuid]$$), array['C-SOHO'], 'of a type and a location');
select is(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 3', $$p_location_ids => array[md5('soho'), md5('mayfair'), md5('soho')]::uuid[]$$),
  array['M-60', 'M-59', 'M-58'], 'of several locations in one order, each once');
select is(pg_temp.listed($$md5('bistro')::uuid$$, $$p_location_ids => '{}'$$), null, 'of no location none');
select is(pg_temp.listed($$md5('diner')::uuid$$), null, 'no other account''s');
select is(pg_temp.listed($$md5('bistro')::uuid$$, $$p_location_ids => array[md5('far')::uuid]$$), null, 'nor its locations''');
select is((select caller_phone from certus.list_recent_calls(md5('bistro')::uuid, p_limit => 1)), '+12025550123', 'with whole phone numbers');
select is(pg_temp.listed('null'), null, 'no account has no calls');

-- acting as operators
select tests.act_as('Otto');
select is(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 2'), array['M-59', 'M-58'], 'an operator lists the own location''s');
select is(pg_temp.listed($$md5('bistro')::uuid$$, $$p_location_ids => array[md5('mayfair')::uuid]$$), null, 'no other''s, whatever is asked for');
select is((select caller_phone from certus.list_recent_calls(md5('bistro')::uuid, p_limit => 1)), '+1 ••• ••• 0123', 'with masked phone numbers');
select is(pg_temp.listed($$md5('diner')::uuid$$), null, 'no other account''s');
select tests.act_as('Oona');
select is(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 2'), array['M-60', 'M-57'], 'another operator another location''s');

-- acting as the others
select tests.act_as('Olga');
select is(cardinality(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 100')), 62, 'the organization''s owner lists all');
select tests.act_as('Vic');
select is(cardinality(pg_temp.listed($$md5('bistro')::uuid$$, 'p_limit => 100')), 62, 'and so does its viewer');
select is((select caller_phone from certus.list_recent_calls(md5('bistro')::uuid, p_limit => 1)), '+1 ••• ••• 0123', 'with masked phone numbers');
select tests.act_as('Mia');
select is(pg_temp.listed($$md5('bistro')::uuid$$), null, 'a member without a role lists none');
select tests.act_as('Stranger');
select is(pg_temp.listed($$md5('bistro')::uuid$$), null, 'a stranger lists none');
select is(pg_temp.listed($$md5('bistro')::uuid$$, $$p_location_ids => array[md5('soho')::uuid]$$), null, 'by location neither');
select tests.act_as_anonymous();
select throws_ok($$select certus.list_recent_calls(md5('bistro')::uuid)$$, '42501', null, 'nobody lists calls without signing in');
select throws_ok($$select certus.get_call_detail(md5('call SOHO')::uuid)$$, '42501', null, 'or looks at one');

-- one call
select tests.act_as('Ada');
select is(certus.get_call_detail(md5('call SOHO')::uuid) -> 'call' ->> 'external_id', 'C-SOHO', 'a call has its own row');
select is(jsonb_path_query_array(certus.get_call_detail(md5('call SOHO')::uuid), '$.orders[*].updates[*].status'), '["accepted", "cooking"]',
  'its orders with what became of them, in order');
select is(jsonb_path_query_array(certus.get_call_detail(md5('call SOHO')::uuid), '$.orders[*].upsells[*].item'), '["Garlic bread"]', 'and what was offered');
select is(jsonb_path_query_array(certus.get_call_detail(md5('call SOHO')::uuid), '$.reservations[*].estimated_revenue'), '[120.00]', 'its reservations');
select is(jsonb_path_query_array(certus.get_call_detail(md5('call SOHO')::uuid), '$.notes[*].body'), '["Regular guest"]', 'its notes');
select is(jsonb_path_query_array(certus.get_call_detail(md5('more 1')::uuid), '$.*.size()'), '[1, 0, 0, 0]', 'empty lists where there is nothing');
select is((select array_agg(distinct p #>> '{}') from jsonb_path_query(certus.get_call_detail(md5('call SOHO')::uuid), '$.**.*') p where p #>> '{}' ~ '0018$'),
  array['+442079460018'], 'whole phone numbers');
select tests.act_as('Otto');
select is((select array_agg(distinct p #>> '{}') from jsonb_path_query(certus.get_call_detail(md5('call SOHO')::uuid), '$.**.*') p where p #>> '{}' ~ '0018$'),
  array['+44 ••• ••• 0018'], 'an operator sees masked ones everywhere in it');
select is(tests.error_code($$select certus.get_call_detail(md5('call MAYFAIR')::uuid)$$), 'call_not_found', 'another location''s call is not found');
select is(tests.error_code($$select certus.get_call_detail(md5('nothing')::uuid)$$), 'call_not_found', 'nor is one that is not there');
-- Both are made of the tables, and are what the views show.
select tests.act_as_postgres();
insert into certus_private.reservations
  (account_id, location_id, call_id, external_id, customer_phone, reservation_at, guest_count, avg_spend_per_head_override, provider_status, created_at)
select md5('bistro')::uuid, md5('soho')::uuid, md5('call SOHO')::uuid, 'R-' || n, '+442079460018', '2026-03-06 19:00+00', n,
  case when n > 2 then 12.5 end, (array[null, 'cancelled', 'booked'])[n], '2026-03-01 12:02+00'
from generate_series(1, 3) n;
insert into certus_private.call_logs (id, account_id, location_id, external_id, started_at)
values (md5('ringing')::uuid, md5('bistro')::uuid, md5('soho')::uuid, 'ringing', '2026-03-03');
create function pg_temp.viewed(p_call_id uuid) returns jsonb language sql as $$
  select jsonb_build_object(
    'call', (select to_jsonb(c) from certus.calls_v c where c.id = p_call_id),
    'orders', array(
      select to_jsonb(o) || jsonb_build_object(
        'updates', array(select to_jsonb(u) from certus.order_updates_v u where u.order_id = o.id order by u.created_at, u.id),
        'upsells', array(select to_jsonb(u) from certus.upsells_v u where u.order_id = o.id order by u.created_at, u.id))
      from certus.orders_v o where o.call_id = p_call_id order by o.created_at, o.id),
    'reservations', array(select to_jsonb(r) from certus.reservations_v r where r.call_id = p_call_id order by r.created_at, r.id),
    'notes', array(select to_jsonb(n) from certus.internal_notes n where n.call_id = p_call_id order by n.created_at, n.id));
$$;
grant execute on function pg_temp.viewed to authenticated;
select tests.act_as('Ada');
select results_eq($$select to_jsonb(l) from certus.list_recent_calls(md5('bistro')::uuid) l$$,
  $$select to_jsonb(v) from (select * from certus.calls_v where account_id = md5('bistro')::uuid limit 50) v$$, 'an admin lists the view''s rows');
select is(certus.get_call_detail(c), pg_temp.viewed(c), 'and opens them') from unnest(array[md5('call SOHO'), md5('ringing')]::uuid[]) c;
select tests.act_as('Otto');
select results_eq($$select to_jsonb(l) from certus.list_recent_calls(md5('bistro')::uuid) l$$,
  $$select to_jsonb(v) from (select * from certus.calls_v where account_id = md5('bistro')::uuid limit 50) v$$, 'an operator lists the view''s rows');
select is(certus.get_call_detail(c), pg_temp.viewed(c), 'and opens them') from unnest(array[md5('call SOHO'), md5('ringing')]::uuid[]) c;
select tests.act_as('Vic');
select results_eq($$select to_jsonb(l) from certus.list_recent_calls(md5('bistro')::uuid) l$$,
  $$select to_jsonb(v) from (select * from certus.calls_v where account_id = md5('bistro')::uuid limit 50) v$$, 'a viewer lists the view''s rows');
select is(certus.get_call_detail(md5('call SOHO')::uuid), pg_temp.viewed(md5('call SOHO')::uuid), 'and opens them');
select tests.act_as('Mia');
select is(tests.error_code($$select certus.get_call_detail(md5('call SOHO')::uuid)$$), 'call_not_found', 'a member without a role finds no call');
select tests.act_as('Stranger');
select is(tests.error_code($$select certus.get_call_detail(md5('call SOHO')::uuid)$$), 'call_not_found', 'nor does a stranger');
select * from finish();
rollback;
