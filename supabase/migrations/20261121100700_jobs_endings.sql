-- However a job ends, the same things follow: the public row is complete, the lease is over, what it leaves behind has
-- a date, and the slot goes to the next.

-- Does nothing yet: imports replace it with one that empties their staging. For the engine's own functions.
create function jobs_private.drop_staging(p_job_id uuid) returns void
language sql
set search_path = ''
as $$
$$;
revoke all on function jobs_private.drop_staging(uuid) from public;
comment on function jobs_private.drop_staging(uuid) is 'Drops what a check has staged';

-- Ends the sessions of the slice that held a job last, if they are still there: they may sit in a long statement, with
-- locks, for a lease it has lost. The application's name keeps a session that a pooler has given to somebody else
-- safe; that of the second session is like no other. Changes no state.
create function jobs_private.end_holder(p_held jobs_private.job_state) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pg_terminate_backend(a.pid)
  from pg_stat_activity a
  where (
      a.pid = p_held.backend_pid and a.backend_start = p_held.backend_start and a.application_name = p_held.worker
      or a.application_name = p_held.worker || '-second'
    )
    and a.usename in ('longshore_worker', 'postgres')
    and a.pid <> pg_backend_pid();
end
$$;
revoke all on function jobs_private.end_holder(jobs_private.job_state) from public;
comment on function jobs_private.end_holder(jobs_private.job_state) is 'Terminates the session that held a lease';

-- queued | running → succeeded | failed | cancelled. Locks the job's row, then its state row, which the caller has
-- locked already in that order; dispatches. A cancelled job keeps its token, so that its holder can be told from one
-- that lost its lease.
create function jobs_private.close_job(p_job_id uuid, p_state text, p_result jsonb, p_error jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_settings jobs.settings;
  v_job jobs.jobs;
  v_result jsonb := p_result;
  v_keep interval;
begin
  select * into v_settings from jobs.settings;
  select * into v_job from jobs.jobs where id = p_job_id for no key update;
  v_keep := make_interval(
    days => case when v_job.kind = 'import_check' then v_settings.check_days else v_settings.file_days end);
  if p_state = 'succeeded' and v_job.kind = 'import_check' then
    v_result := v_result || jsonb_build_object('expires_at', v_now + v_keep);
  end if;

  update jobs.jobs j
  set
    state = p_state,
    result = v_result,
    error = p_error,
    progress = coalesce(s.progress, j.progress),
    finished_at = v_now
  from jobs_private.job_state s
  where j.id = p_job_id and s.job_id = j.id;

  update jobs_private.job_state
  set
    token = case when p_state = 'cancelled' then token end,
    lease_expires_at = case when p_state = 'cancelled' then lease_expires_at end,
    -- A cursor may hold people's values, such as the rows of a preview; only what may be tried again needs one.
    cursor = case when p_state <> 'succeeded' then cursor end,
    progress = null,
    nudged_at = null,
    staging_until = case when v_job.kind = 'import_check' then v_now + v_keep end,
    files_until = v_now + v_keep
  where job_id = p_job_id;

  -- What was committed needs no staging any more.
  if p_state = 'succeeded' and v_job.kind = 'import_commit' then
    update jobs_private.job_state set staging_until = v_now
    where job_id = v_job.parent_id and staging_until is not null;
  end if;
  perform jobs_private.dispatch();
end
$$;
revoke all on function jobs_private.close_job(uuid, text, jsonb, jsonb) from public;
comment on function jobs_private.close_job(uuid, text, jsonb, jsonb) is 'Ends a job and hands its slot on';

-- running → queued, after a failed attempt or a lost lease: waits longer each time. When the attempts are used up,
-- running → failed with p_error. Locks as close_job() does.
create function jobs_private.end_attempt(p_job_id uuid, p_error jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_settings jobs.settings;
  v_job jobs.jobs;
  v_seconds double precision;
begin
  select * into v_settings from jobs.settings;
  select * into v_job from jobs.jobs where id = p_job_id for no key update;
  if v_job.attempt >= v_job.max_attempts then
    perform jobs_private.close_job(p_job_id, 'failed', null, p_error);
    return;
  end if;

  -- Jitter keeps jobs that failed together from coming back together.
  v_seconds := least(
    v_settings.backoff_seconds * 2 ^ greatest(0, v_job.attempt - 1) * (0.75 + 0.5 * random()),
    v_settings.backoff_max_seconds
  );
  update jobs.jobs j set state = 'queued', progress = coalesce(s.progress, j.progress)
  from jobs_private.job_state s
  where j.id = p_job_id and s.job_id = j.id;
  update jobs_private.job_state
  set
    token = null,
    lease_expires_at = null,
    progress = null,
    released = false,
    run_after = v_now + make_interval(secs => v_seconds),
    last_error = p_error
  where job_id = p_job_id;
  perform jobs_private.dispatch();
end
$$;
revoke all on function jobs_private.end_attempt(uuid, jsonb) from public;
comment on function jobs_private.end_attempt(uuid, jsonb) is 'Queues a job again after a failed attempt, or fails it';
