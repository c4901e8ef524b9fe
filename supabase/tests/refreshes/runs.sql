-- A run from its beginning to its end, as a slice goes through it: what it writes down, whom it serves, what it refuses.
begin;
select plan(31);
-- The engine's limits count every job there is: start with none.
update jobs_private.staging_slots set job_id = null, owner_id = null;
delete from jobs.jobs;
select set_config('longshore.now', '2030-01-01 12:00:00+00', true);
select tests.create_people('Olga', 'Adam', 'Mia');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('org')::uuid, tests.person('Adam'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member');
create schema test;
create table test.numbers (n integer);
create materialized view test.counts as select 1 as id, count(*)::int as numbers, 1 / (1 - count(n)) as whole
  from test.numbers with no data;
create unique index on test.counts (id);
insert into jobs.refreshable_views (view) values ('test.counts'), ('test.gone');
insert into jobs_private.view_sources (view, relation, authorize_with)
values ('test.counts', 'test.counts', 'public.admin_orgs'), ('test.gone', 'test.gone', 'public.admin_orgs');

create function pg_temp.person(p_name text, p_view text default 'test.counts') returns uuid language plpgsql as $$
declare
  v_answer jsonb;
begin
  perform tests.act_as(p_name);
  v_answer := jobs.enqueue_job('refresh-metrics', 'refresh', md5('org')::uuid, jsonb_build_object('view', p_view));
  perform tests.act_as_postgres();
  return v_answer #>> '{job,id}';
end
$$;
create temp table lease (name text primary key, id uuid, token bigint, run jsonb, result jsonb) on commit drop;
create function pg_temp.begin_run(p_name text, p_job_id uuid) returns jsonb language plpgsql as $$
declare
  v_token bigint := (select c.token from jobs_private.claim_job(null, 'a worker', p_job_id) c);
begin
  insert into lease (name, id, token) values (p_name, p_job_id, v_token)
  on conflict (name) do update set id = excluded.id, token = excluded.token;
  update lease set run = jobs_private.begin_refresh(p_job_id, v_token) where name = p_name;
  return (select run from lease where name = p_name);
end
$$;
create function pg_temp.refresh(p_name text) returns jsonb language plpgsql as $$
begin
  update lease set result = jobs_private.refresh_view(id, token, (run ->> 'refresh_id')::bigint) where name = p_name;
  return (select result from lease where name = p_name);
end
$$;
create function pg_temp.state(p_job_id uuid) returns text language sql as $$
  select j.state from jobs.jobs j where j.id = p_job_id;
$$;
create function pg_temp.finish(p_name text) returns void language sql as $$
  select jobs_private.finish_job(l.id, l.token, l.result) from lease l where l.name = p_name;
$$;

-- the first refresh
select is(pg_temp.begin_run('first', pg_temp.person('Olga')) - 'refresh_id',
  '{"view": "test.counts", "refreshed_at": null, "expected_ms": null}', 'a run begins with what is known of the view');
select is((select r.state from jobs.refreshes r where r.view = 'test.counts'), 'running', 'and is written down');
select set_config('longshore.now', '2030-01-01 12:00:05+00', true);
select is(pg_temp.refresh('first') - 'duration_ms', '{"view": "test.counts", "refreshed_at": "2030-01-01T12:00:05+00:00",
  "concurrent": false, "jobs_served": 0}', 'a view without numbers is filled');
select is((select numbers from test.counts), 0, 'it has its numbers');
select is((select array[v.refreshed_at, v.failed_at] from jobs.refreshable_views v where v.view = 'test.counts'),
  array['2030-01-01 12:00:05+00', null]::timestamptz[], 'as of the moment at which they were read');
select is((select r.state from jobs.refreshes r where r.view = 'test.counts'), 'succeeded', 'and the run has ended');
select is(pg_temp.state(id), 'running', 'its job is for the slice to end') from lease;
select pg_temp.finish('first');

-- whom a run serves
insert into test.numbers values (null);
create temp table waiting on commit drop as select pg_temp.person('Olga') as leader;
alter table waiting add adam uuid, add mia uuid, add system uuid, add late uuid, add gone uuid;
select pg_temp.begin_run('second', (select leader from waiting));
update waiting set adam = pg_temp.person('Adam'), mia = pg_temp.person('Mia'), gone = pg_temp.person('Olga', 'test.gone'),
  system = (jobs.request_refresh('test.counts') #>> '{job,id}')::uuid;
select is(pg_temp.refresh('second') - 'duration_ms' - 'refreshed_at', '{"view": "test.counts", "concurrent": true, "jobs_served": 2}',
  'the next run goes on beside its readers');
select is((select numbers from test.counts), 1, 'the numbers are new');
select is(array[pg_temp.state(adam), pg_temp.state(system)], array['succeeded', 'succeeded'], 'who waited is served') from waiting;
select is((select j.result from jobs.jobs j where j.id = adam), (select result from lease where name = 'second'),
  'with the same result') from waiting;
select is((select (j.progress ->> 'percent') || ' ' || (j.progress ->> 'phase') from jobs.jobs j where j.id = adam), '100 refreshed',
  'and done') from waiting;
select is(pg_temp.state(mia), 'queued', 'but not somebody who may not ask') from waiting;
select is(pg_temp.state(gone), 'queued', 'nor somebody who asked for another view') from waiting;
select is(current_setting('request.jwt.claims', true), '', 'nobody''s claims are left over');
select pg_temp.finish('second');

-- what a run refuses
select is(tests.error_code(format('select pg_temp.begin_run(''mia'', %L)', mia)), 'not_allowed',
  'a job that was made past the function is not run') from waiting;
select throws_ok(format('select jobs_private.begin_refresh(%L, 0)', leader), 'LS001', null, 'nor one without its lease') from waiting;
delete from jobs.jobs where id = (select mia from waiting);
select pg_temp.begin_run('gone', (select gone from waiting));
select throws_ok('select pg_temp.refresh(''gone'')', '42P01', null, 'a view that is not there is not refreshed');

-- a run that fails
select jobs_private.finish_job(l.id, l.token, '{}') from lease l where l.name = 'gone';
insert into test.numbers values (1);
create temp table failing on commit drop as select pg_temp.person('Olga') as leader;
alter table failing add before uuid, add after uuid;
update failing set before = pg_temp.person('Adam');
select set_config('longshore.now', '2030-01-01 12:01:00+00', true);
select pg_temp.begin_run('failing', (select leader from failing));
select set_config('longshore.now', '2030-01-01 12:01:01+00', true);
update failing set after = pg_temp.person('Adam');
select throws_ok('select pg_temp.refresh(''failing'')', '22012', null, 'a query that fails');
select is((select numbers from test.counts), 1, 'leaves the old numbers');
create function pg_temp.fail(p_final boolean) returns void language sql as $$
  select jobs_private.fail_refresh(l.id, l.token, (l.run ->> 'refresh_id')::bigint,
    '{"code": "refresh_failed", "message": "Cannot", "details": null}', p_final)
  from lease l where l.name = 'failing';
$$;
select pg_temp.fail(true);
select is((select r.state || ' ' || (r.error ->> 'code') || ' ' || r.duration_ms from jobs.refreshes r order by id desc limit 1),
  'failed refresh_failed 1000', 'the run has failed');
select is((select array[v.refreshed_at, v.failed_at] from jobs.refreshable_views v where v.view = 'test.counts'),
  array['2030-01-01 12:00:05+00', '2030-01-01 12:01:01+00']::timestamptz[], 'the view says so, and as of when it still is');
select is(pg_temp.state(before), 'failed', 'who waited before it began fails with it') from failing;
select is(pg_temp.state(after), 'queued', 'who came later does not') from failing;
select is(pg_temp.state(leader), 'running', 'its own job is for the slice to fail') from failing;
select lives_ok('select pg_temp.fail(true)', 'said twice, nothing happens');
select is(pg_temp.state(after), 'queued', 'to those who came later') from failing;

-- a run without an end
select jobs_private.finish_job(l.id, l.token, '{}') from lease l where l.name = 'failing';
select pg_temp.begin_run('dead', (select after from failing));
select jobs_private.finish_job(l.id, l.token, '{}') from lease l where l.name = 'dead';
select set_config('longshore.now', '2030-01-01 12:02:00+00', true);
select pg_temp.begin_run('next', pg_temp.person('Olga'));
select is((select r.state || ' ' || (r.error ->> 'code') from jobs.refreshes r where r.job_id = after), 'failed internal',
  'a run without an end has failed when the next one begins') from failing;
select is((select v.failed_at || ' ' || (v.error ->> 'code') from jobs.refreshable_views v where v.view = 'test.counts'),
  '2030-01-01 12:02:00+00'::timestamptz || ' internal', 'and the view says so');
delete from test.numbers where n = 1;
select is((pg_temp.refresh('next') ->> 'jobs_served'), '0', 'the next one succeeds');
select is((select v.error from jobs.refreshable_views v where v.view = 'test.counts'), null, 'and the failure is forgotten');

select * from finish();
rollback;
