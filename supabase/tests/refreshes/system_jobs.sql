-- Jobs without an owner: in whose turn they come, and who cannot see or touch them.
begin;
select plan(21);
-- The engine's limits count every job there is: start with none.
update jobs_private.staging_slots set job_id = null, owner_id = null;
delete from jobs.jobs;
delete from jobs_private.tenants;
select set_config('longshore.now', '2030-01-01 12:00:00+00', true);
select tests.create_people('Olga', 'Nora');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('other')::uuid, tests.person('Nora'), 'owner');
insert into jobs.refreshable_views (view) values ('test.one'), ('test.two'), ('test.three');
insert into jobs_private.view_sources (view, relation, authorize_with)
select v, v, 'public.admin_orgs' from unnest(array['test.one', 'test.two', 'test.three']) v;

create function pg_temp.system(p_view text) returns uuid language sql as $$
  select (jobs.request_refresh(p_view) #>> '{job,id}')::uuid;
$$;
create function pg_temp.person(p_name text, p_org text, p_view text) returns uuid language plpgsql as $$
declare
  v_answer jsonb;
begin
  perform tests.act_as(p_name);
  v_answer := jobs.enqueue_job('refresh-metrics', 'refresh', md5(p_org)::uuid, jsonb_build_object('view', p_view));
  perform tests.act_as_postgres();
  return v_answer #>> '{job,id}';
end
$$;
create function pg_temp.claim(p_job_id uuid default null) returns uuid language sql as $$
  select (c.job ->> 'id')::uuid from jobs_private.claim_job(null, 'a worker', p_job_id) c;
$$;

select throws_ok($$insert into jobs.jobs (kind, org_id, owner_id) values ('export', null, null)$$, '23514', null,
  'only a refresh can be the system''s');
select throws_ok(format($$insert into jobs.jobs (kind, org_id, owner_id) values ('refresh', %L, null)$$, md5('org')), '23514', null,
  'and then belongs to no organization');

-- asking
create temp table job on commit drop as
select pg_temp.system('test.one') as one, null::uuid as olga, null::uuid as two, null::uuid as nora, null::uuid as again;
grant select on job to authenticated, service_role;
select is(pg_temp.system('test.one'), one, 'one that waits is enough') from job;
select is((select s.function_name from jobs_private.job_state s), 'refresh-metrics', 'it goes to its function');

-- acting as people
select tests.act_as('Olga');
select is((select count(*)::int from jobs.jobs), 0, 'no owner of an organization sees it');
select is(tests.error_code(format('select jobs.cancel_job(%L)', one)), 'job_not_found', 'or cancels it') from job;
select tests.act_as_postgres();
select set_config('request.jwt.claims', '{"role": "authenticated"}', true), set_config('role', 'authenticated', true);
select is(tests.error_code(format('select jobs.cancel_job(%L)', one)), 'job_not_found',
  'nor does somebody with a token of nobody') from job;
select tests.act_as_postgres();
select is(jobs_private.may_start(one, jobs.now()), true, 'it may start') from job;

-- turns
select set_config('longshore.now', (jobs.now() + interval '1 s')::text, true);
update job set olga = pg_temp.person('Olga', 'org', 'test.one'), two = pg_temp.system('test.two');
select set_config('longshore.now', (jobs.now() + interval '1 s')::text, true);
update job set nora = pg_temp.person('Nora', 'other', 'test.three');
select is(pg_temp.claim(), one, 'the system has a turn like an organization') from job;
select is((select count(*)::int from jobs_private.tenants), 0, 'which is not written down for nobody');
select is((select c.owner_claims from jobs_private.claim_job(null, 'a worker', (select two from job)) c), null,
  'a job of the system has no claims');
select is(pg_temp.claim(olga), null, 'a view that is being refreshed is not refreshed beside') from job;
select is((select array_agg(w) from jobs_private.waiting_jobs(jobs.now()) w), array[nora], 'its jobs do not wait for a slot')
from job;
update job set again = pg_temp.system('test.three');
select is(jobs_private.may_start(again, jobs.now()), false, 'the system has as many slots as an organization') from job;
select is(pg_temp.claim(), nora, 'and the others have theirs') from job;
select isnt(pg_temp.system('test.one'), one, 'a request beside a run is a new job') from job;

-- losing it
select set_config('longshore.now', (jobs.now() + interval '61 s')::text, true);
update jobs_private.job_state s set lease_expires_at = jobs.now() + interval '1 h' where s.job_id = (select nora from job);
select is(jobs_private.recover_leases(), 2, 'a lost lease of the system is found');
select is((select j.state || ' ' || j.attempt from jobs.jobs j where j.id = one), 'queued 1', 'and its job tried again') from job;
select is(pg_temp.claim(olga), olga, 'or another job of the view comes first') from job;

-- messages
select is((select count(*)::int from realtime.messages m where m.topic = 'job:' || one) > 0, true, 'its channel gets its progress')
from job;
select is((select count(*)::int from realtime.messages m where m.topic is null or m.topic = 'org::jobs'), 0,
  'and no organization''s') from job;

select * from finish();
rollback;
