-- The tick runs in an Edge Function, since only that can delete files; the clock is in the database. Looking costs a few
-- index scans every ten seconds, so the function is called only when there is something to do.
create extension if not exists pg_cron;

-- Whether tick() would do anything now. Reads only; for the engine's own functions.
create function jobs_private.has_work() returns boolean
language plpgsql stable
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_since timestamptz := v_now - (select make_interval(secs => g.nudge_seconds) from jobs.settings g);
begin
  return exists (
      select from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id
      where j.state = 'running' and s.lease_expires_at <= v_now
    )
    or exists (select jobs_private.waiting_jobs(v_now, p_nudged_since => v_since))
    or exists (
      select from jobs_private.job_state s
      where s.staging_until <= v_now
        and not exists (
          select from jobs.jobs c where c.parent_id = s.job_id and c.state in ('queued', 'running')
        )
    )
    or exists (select from jobs_private.job_state s where s.files_until <= v_now)
    or exists (select jobs_private.outlived_jobs());
end
$$;
revoke all on function jobs_private.has_work() from public;
comment on function jobs_private.has_work() is 'Whether there is anything for the tick to do';

-- Calls jobs-tick when there is work, and says whether it did. Locks nothing; run by pg_cron as postgres.
create function jobs_private.tick_if_needed() returns boolean
language sql
set search_path = ''
as $$
  select jobs_private.has_work() and jobs_private.post('jobs-tick', '{}')
$$;
revoke all on function jobs_private.tick_if_needed() from public;
comment on function jobs_private.tick_if_needed() is 'Posts to jobs-tick if there is work';

select cron.schedule('longshore-tick', '10 seconds', 'select jobs_private.tick_if_needed()');
-- pg_cron keeps a row for every run and never deletes one.
select cron.schedule(
  'longshore-cron-history',
  '17 3 * * *',
  $$delete from cron.job_run_details where end_time < now() - interval '7 days'$$
);
