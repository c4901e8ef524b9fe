-- What jobs.health tells whom, and the times of slices that it is made of.
begin;
select plan(22);
-- The engine's limits count every job there is: start with none.
update jobs_private.staging_slots set job_id = null, owner_id = null;
delete from jobs.jobs;
select set_config('longshore.now', '2030-01-01 12:00:00+00', true);
update jobs.settings set running_per_org = 8;
select tests.create_people('Olga', 'Adam', 'Mia', 'Nora');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('org')::uuid, tests.person('Adam'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('other')::uuid, tests.person('Nora'), 'owner');

create function pg_temp.enqueue(p_name text) returns uuid language plpgsql as $$
declare
  v_answer jsonb;
begin
  perform tests.act_as(p_name);
  v_answer := jobs.enqueue_job('export', 'export', md5('org')::uuid, '{}');
  perform tests.act_as_postgres();
  return v_answer #>> '{job,id}';
end
$$;
create function pg_temp.claim(p_job_id uuid) returns bigint language sql as $$
  select c.token from jobs_private.claim_job(null, 'a worker', p_job_id) c;
$$;
create function pg_temp.later(p_interval interval) returns void language sql as $$
  select set_config('longshore.now', (jobs.now() + p_interval)::text, true);
$$;
create function pg_temp.outcomes(p_job_id uuid) returns text language sql as $$
  select string_agg(l.outcome || ' ' || l.duration_ms, ', ' order by l.id) from jobs_private.slices l where l.job_id = p_job_id;
$$;

-- slices
create temp table job on commit drop as select pg_temp.enqueue('Mia') as id, null::bigint as token;
update job set token = pg_temp.claim(id);
select is((select s.slice_started_at from jobs_private.job_state s), jobs.now(), 'a slice begins with the claim');
select is(pg_temp.outcomes(id), null, 'and is not told while it works') from job;
select pg_temp.later('1 s');
select jobs_private.heartbeat(id, token) from job;
select is(pg_temp.outcomes(id), null, 'a heartbeat is no end') from job;
select pg_temp.later('1 s');
select jobs_private.release_job(id, token) from job;
select is(pg_temp.outcomes(id), 'continued 2000', 'one that hands on has ended') from job;
update job set token = pg_temp.claim(id);
select pg_temp.later('61 s');
select jobs_private.recover_leases();
select is(pg_temp.outcomes(id), 'continued 2000, lost 61000', 'one that died was lost') from job;
select pg_temp.later('10 s');
update job set token = pg_temp.claim(id);
select pg_temp.later('0.5 s');
select jobs_private.fail_job(id, token, '{"code": "internal", "message": "Cannot", "details": null}', true) from job;
select is(pg_temp.outcomes(id), 'continued 2000, lost 61000, retried 500', 'one that failed is told as such') from job;
select pg_temp.later('20 s');
update job set token = pg_temp.claim(id);
select pg_temp.later('3 s');
select tests.act_as('Mia');
select jobs.cancel_job(j.id) from jobs.jobs j;
select tests.act_as_postgres();
select is(pg_temp.outcomes(id), 'continued 2000, lost 61000, retried 500, cancelled 3000', 'and one that was cancelled') from job;
select pg_temp.later('9 s');
select tests.act_as('Mia');
select jobs.retry_job(j.id) from jobs.jobs j;
select tests.act_as_postgres();
select is((select count(*)::int from jobs_private.slices), 4, 'which has ended once');
update job set token = pg_temp.claim(id);
select pg_temp.later('4 s');
select jobs_private.finish_job(id, token, '{}') from job;
select is((select l.outcome || ' ' || l.duration_ms from jobs_private.slices l order by id desc limit 1), 'succeeded 4000',
  'and one that has done its work');

-- what it adds up to
create temp table failing on commit drop as select pg_temp.enqueue('Mia') as id;
select jobs_private.fail_job(id, pg_temp.claim(id), '{"code": "not_allowed", "message": "Cannot", "details": null}', false) from failing;
select pg_temp.enqueue('Mia');
select pg_temp.later('30 s');
select jobs.request_refresh('certus.mv_metrics_daily');
-- acting as an admin
select tests.act_as('Adam');
select is((select array[h.queued, h.oldest_queued_seconds, h.running, h.succeeded, h.failed, h.cancelled] from jobs.health h),
  array[1, 30, 0, 1, 1, 0], 'an admin sees the jobs of the organization');
select is((select h.failures from jobs.health h), '{"not_allowed": 1}', 'the failures by code');
select is((select array[h.slices, h.lost_leases, h.slice_ms_median, h.slice_ms_95, h.slice_ms_most] from jobs.health h),
  array[6, 1, 2000, 61000, 61000], 'and how long slices take');
select is((select count(*)::int from jobs.health h where h.org_id = md5('org')::uuid), 1, 'of one organization');
-- acting as an admin, of views
select tests.act_as_postgres();
update jobs.refreshable_views set refreshed_at = null, duration_ms = null, failed_at = null, error = null;
select tests.act_as('Adam');
select is((select h.stale_views from jobs.health h), '{"certus.mv_metrics_daily": null}', 'a view that was never refreshed is stale');
select tests.act_as_postgres();
update jobs.refreshable_views set refreshed_at = jobs.now(), duration_ms = 1;
select tests.act_as('Adam');
select is((select h.stale_views from jobs.health h), '{}', 'one that was is not');
-- acting as an owner of another organization
select tests.act_as('Nora');
select is((select array[h.queued, h.succeeded, h.failed, h.slices] from jobs.health h), array[0, 0, 0, 0],
  'an owner of another sees nothing of it');
-- acting as a member
select tests.act_as('Mia');
select is((select count(*)::int from jobs.health), 0, 'a member sees no health');
-- acting as the service
select tests.act_as_service();
select is((select array_agg(h.org_id order by h.org_id nulls last) from jobs.health h), array[md5('org')::uuid, null],
  'the service sees every organization that has jobs, and the system');
select is((select h.queued from jobs.health h where h.org_id is null), 1, 'whose jobs are counted');
-- acting without signing in
select tests.act_as_anonymous();
select throws_ok('select * from jobs.health', '42501', null, 'nobody else sees anything');

-- a day later
select tests.act_as_postgres();
select pg_temp.later('25 hours');
select tests.act_as('Adam');
select is((select array[h.queued, h.succeeded, h.failed, h.slices] from jobs.health h), array[1, 0, 0, 0],
  'what has ended is told for a day');
select tests.act_as_postgres();
delete from jobs.jobs;
select is((select count(*)::int from jobs_private.slices), 0, 'slices go with their jobs');

select * from finish();
rollback;
