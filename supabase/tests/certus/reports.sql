-- The sources of the reports show each persona what the views do, and authorize_export() who may have a report at all.
begin;
select plan(34);
select tests.create_restaurants();
select tests.create_restaurant_logs();
refresh materialized view certus.mv_metrics_daily;

create function pg_temp.reported() returns text[] language sql as $$
  select array[
    (select string_agg(location, ', ' order by location) from certus.calls_report),
    (select string_agg(location, ', ' order by location) from certus.orders_report),
    (select string_agg(location, ', ' order by location) from certus.metrics_daily_report),
    (select string_agg(distinct phone, ', ') from (
      select caller_phone as phone from certus.calls_report union all select customer_phone from certus.orders_report) phones)];
$$;
create function pg_temp.allowed(p_account text) returns uuid language sql as $$
  select certus.authorize_export(jsonb_build_object('account_id', md5(p_account)::uuid));
$$;
grant execute on function pg_temp.reported, pg_temp.allowed to authenticated;

-- acting as those who have the account
select tests.act_as(p),
  is(pg_temp.reported(), array['MAYFAIR, SOHO', 'MAYFAIR, SOHO', 'MAYFAIR, SOHO', '+442079460018'], p || ' sees the whole account, phone numbers too'),
  is(pg_temp.allowed('bistro'), md5('org')::uuid, p || ' may export it')
from unnest(array['Olga', 'Adam', 'Ada']) p;
-- acting as the organization's viewer
select tests.act_as('Vic');
select is(pg_temp.reported(), array['MAYFAIR, SOHO', 'MAYFAIR, SOHO', 'MAYFAIR, SOHO', '+44 ••• ••• 0018'], 'a viewer sees the whole account, phone numbers masked');
select is(pg_temp.allowed('bistro'), md5('org')::uuid, 'and may export it');
-- acting as operators
select tests.act_as('Otto');
select is(pg_temp.reported(), array['SOHO', 'SOHO', 'SOHO', '+44 ••• ••• 0018'], 'an operator sees the own location, phone numbers masked');
select is(pg_temp.allowed('bistro'), md5('org')::uuid, 'and may export what there is to see');
select tests.act_as('Oona');
select is(pg_temp.reported(), array['MAYFAIR', 'MAYFAIR', 'MAYFAIR', '+44 ••• ••• 0018'], 'another operator another location');
select is(pg_temp.allowed('diner'), null, 'and exports no other account');
-- acting as a colleague and a stranger
select tests.act_as('Mia');
select is(pg_temp.reported(), array[null, null, null, null], 'a member without a role sees nothing');
select is(pg_temp.allowed('bistro'), null, 'and exports nothing');
select tests.act_as('Stranger');
select is(pg_temp.reported(), array['FAR', 'FAR', 'FAR', '+442079460018'], 'a stranger sees the own account');
select is(pg_temp.allowed('bistro'), null, 'and does not export this one');
-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from certus.calls_report', '42501', null, 'nobody reads a report without signing in');
select throws_ok('select certus.authorize_export(null)', '42501', null, 'or asks for one');

select tests.act_as('Ada');
select is(certus.authorize_export(s.filters), null, 'no account: ' || coalesce(s.filters::text, 'null'))
from (values (null::jsonb), ('{}'), ('[]'), ('{"account_id": "x"}'), ('{"account_id": {"id": 1}}'), (format('{"account_id": "%s"}', md5('nowhere')::uuid)::jsonb)) s (filters);
select is((select local_date from certus.calls_report where location = 'SOHO'), '2026-03-01'::date, 'a call has its local day');

-- what an export's rows depend on
create function pg_temp.rights(p_account text default 'bistro') returns text language sql as $$
  select certus.export_rights(jsonb_build_object('account_id', md5(p_account)::uuid));
$$;
grant execute on function pg_temp.rights to authenticated;
select is(pg_temp.rights(), 'admin', 'an admin''s role');
select tests.act_as('Vic');
select is(pg_temp.rights(), 'viewer', 'a viewer''s');
select tests.act_as('Mia');
select is(pg_temp.rights(), null, 'nothing without a role');
select is(certus.export_rights('{"account_id": "x"}'), null, 'and none of no account');
select tests.act_as('Otto');
select alike(pg_temp.rights(), 'operator %', 'an operator''s, with the locations');
create temp table before on commit drop as select pg_temp.rights() as rights;
select is(pg_temp.rights(), (select rights from before), 'the same as long as they are');
select tests.act_as_postgres();
grant select on before to authenticated;
insert into certus.member_locations (account_id, user_id, location_id) values (md5('bistro')::uuid, tests.person('Otto'), md5('mayfair')::uuid);
select tests.act_as('Otto');
select isnt(pg_temp.rights(), (select rights from before), 'another with another location');
select tests.act_as_postgres();
delete from certus.member_locations where user_id = tests.person('Otto');
select tests.act_as('Otto');
select is(pg_temp.rights(), 'operator', 'and without any');
select tests.act_as_anonymous();
select throws_ok($$select certus.export_rights('{}')$$, '42501', null, 'nobody asks without signing in');
select * from finish();
rollback;
