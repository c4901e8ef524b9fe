-- Whether jobs get through, in one row: for the admins of an organization their own, for the service every organization's
-- and the system's. Numbers are of the last 24 hours where they are of a time.

-- One row for each organization that the caller administers; for the service one for each that has jobs, and one without an
-- organization for the jobs of the system. A definer: times of slices and pg_cron's records are the engine's. Reads only.
create function jobs_private.health() returns table (
  org_id uuid,
  queued integer,
  oldest_queued_seconds integer,
  running integer,
  succeeded integer,
  failed integer,
  cancelled integer,
  failures jsonb,
  slices integer,
  lost_leases integer,
  slice_ms_median integer,
  slice_ms_95 integer,
  slice_ms_most integer,
  ticked_at timestamptz,
  failed_ticks integer,
  stale_views jsonb
)
language plpgsql stable security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_now timestamptz := jobs.now();
  v_since timestamptz := v_now - interval '24 hours';
  v_of_all boolean := coalesce(auth.role() = 'service_role', false);
  v_orgs uuid[] := array(select o from public.admin_orgs() o);
  v_ticked_at timestamptz;
  v_failed_ticks integer;
  v_stale jsonb;
begin
  select max(d.start_time), count(*) filter (where d.status = 'failed' and d.start_time > v_since)
  into v_ticked_at, v_failed_ticks
  from cron.job_run_details d
  where d.jobid = (select c.jobid from cron.job c where c.jobname = 'longshore-tick');
  v_stale := (
    select coalesce(jsonb_object_agg(v.view, v.refreshed_at), '{}')
    from jobs.refreshable_views v
    where v.failed_at is not null or v.refreshed_at is null or v.refreshed_at < v_now - interval '15 minutes'
  );

  return query
  with tenants as (
    select t.org_id
    from (
      select unnest(v_orgs) as org_id
      union
      select j.org_id from jobs.jobs j where v_of_all
    ) t
  ),
  seen as (
    select j.* from jobs.jobs j
    where (j.state in ('queued', 'running') or j.finished_at > v_since)
      and (v_of_all or j.org_id = any (v_orgs))
  ),
  counted as (
    select
      s.org_id,
      count(*) filter (where s.state = 'queued')::integer as queued,
      extract(epoch from v_now - min(s.created_at) filter (where s.state = 'queued'))::integer as oldest,
      count(*) filter (where s.state = 'running')::integer as running,
      count(*) filter (where s.state = 'succeeded')::integer as succeeded,
      count(*) filter (where s.state = 'failed')::integer as failed,
      count(*) filter (where s.state = 'cancelled')::integer as cancelled
    from seen s group by s.org_id
  ),
  codes as (
    select f.org_id, jsonb_object_agg(f.code, f.times) as failures
    from (
      select s.org_id, s.error ->> 'code' as code, count(*) as times
      from seen s where s.state = 'failed' group by 1, 2
    ) f
    group by f.org_id
  ),
  timed as (
    select
      j.org_id,
      count(*)::integer as slices,
      count(*) filter (where l.outcome = 'lost')::integer as lost,
      percentile_disc(array[0.5, 0.95, 1]) within group (order by l.duration_ms) as ms
    from jobs_private.slices l
    join jobs.jobs j on j.id = l.job_id
    where l.ended_at > v_since and (v_of_all or j.org_id = any (v_orgs))
    group by j.org_id
  )
  select
    t.org_id, coalesce(c.queued, 0), c.oldest, coalesce(c.running, 0), coalesce(c.succeeded, 0), coalesce(c.failed, 0),
    coalesce(c.cancelled, 0), coalesce(f.failures, '{}'), coalesce(m.slices, 0), coalesce(m.lost, 0), m.ms[1], m.ms[2],
    m.ms[3], v_ticked_at, v_failed_ticks, v_stale
  from tenants t
  left join counted c on c.org_id is not distinct from t.org_id
  left join codes f on f.org_id is not distinct from t.org_id
  left join timed m on m.org_id is not distinct from t.org_id;
end
$$;
revoke all on function jobs_private.health() from public;
grant execute on function jobs_private.health() to authenticated, service_role;
grant usage on schema jobs_private to service_role;
comment on function jobs_private.health() is 'What jobs.health shows';

create view jobs.health with (security_invoker = true) as
select
  h.org_id, h.queued, h.oldest_queued_seconds, h.running, h.succeeded, h.failed, h.cancelled, h.failures, h.slices,
  h.lost_leases, h.slice_ms_median, h.slice_ms_95, h.slice_ms_most, h.ticked_at, h.failed_ticks, h.stale_views
from jobs_private.health() h;
revoke all on jobs.health from public, anon, authenticated, service_role;
grant select on jobs.health to authenticated, service_role;
comment on view jobs.health is
  'Whether jobs get through: a row for each organization that the caller administers. Counts of ended jobs and slices are of 24 hours';
comment on column jobs.health.org_id is 'Null for the jobs of the system, which only the service sees';
comment on column jobs.health.oldest_queued_seconds is 'How long the oldest queued job has been waiting';
comment on column jobs.health.failures is 'Failed jobs by code';
comment on column jobs.health.lost_leases is 'Slices that ended without a word: an isolate died, or the database was out of reach';
comment on column jobs.health.slice_ms_median is 'How long half of the slices took at most, in milliseconds';
comment on column jobs.health.slice_ms_95 is 'The same for 95 of 100';
comment on column jobs.health.slice_ms_most is 'The longest';
comment on column jobs.health.ticked_at is 'When pg_cron last looked for what was left behind';
comment on column jobs.health.failed_ticks is 'How often that failed';
comment on column jobs.health.stale_views is 'Views whose last refresh failed or is older than 15 minutes, as of when they are; null for those that were never refreshed';
