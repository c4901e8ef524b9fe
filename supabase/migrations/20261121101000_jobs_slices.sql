-- What the holder of a lease may do with its job. Every function takes the token and refuses a stale one: LS001 when
-- the lease is lost, LS002 when the job was cancelled. A slice that hears either of them stops and writes no more.
-- Whoever locks both rows of a job locks the public one first.

-- Raises LS001 or LS002 unless the token holds the job at this moment. Reads two rows, locks nothing; the worker asks
-- beside its work whether to go on.
create function jobs_private.check_lease(p_job_id uuid, p_token bigint) returns void
language plpgsql stable
security definer -- nobody but the engine reads these tables
set search_path = ''
as $$
declare
  v_state text;
  v_token bigint;
begin
  select j.state, s.token into v_state, v_token
  from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id
  where j.id = p_job_id;
  if v_token = p_token and v_state = 'cancelled' then
    raise exception using
      errcode = 'LS002', message = format('Cannot go on with the job "%s": it was cancelled', p_job_id);
  elsif v_token is distinct from p_token or v_state is distinct from 'running' then
    raise exception using
      errcode = 'LS001', message = format('Cannot go on with the job "%s": its lease is lost', p_job_id);
  end if;
end
$$;
revoke all on function jobs_private.check_lease(uuid, bigint) from public;
grant execute on function jobs_private.check_lease(uuid, bigint) to longshore_worker;
comment on function jobs_private.check_lease(uuid, bigint) is 'Raises LS001 (lease lost) or LS002 (cancelled)';

-- The same with the job's row locked until COMMIT: nobody cancels or recovers the job in between. For the functions
-- below.
create function jobs_private.hold_lease(p_job_id uuid, p_token bigint) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform from jobs.jobs j where j.id = p_job_id for no key update;
  perform jobs_private.check_lease(p_job_id, p_token);
end
$$;
revoke all on function jobs_private.hold_lease(uuid, bigint) from public;
comment on function jobs_private.hold_lease(uuid, bigint) is 'Locks a job for the holder of its lease';

-- Renews the lease, with what is new; p_show puts pending progress where people see it, at most once in
-- progress_interval_ms. Locks the state row; with p_show the job's row, which the caller has locked before.
create function jobs_private.renew_lease(p_job_id uuid, p_cursor jsonb, p_progress jsonb, p_show boolean) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_settings jobs.settings;
  v_state jobs_private.job_state;
begin
  select * into v_settings from jobs.settings;
  update jobs_private.job_state s
  set
    lease_expires_at = v_now + make_interval(secs => v_settings.lease_seconds),
    cursor = coalesce(p_cursor, s.cursor),
    saved = s.saved or p_cursor is not null,
    cut_offs = case when p_cursor is null then s.cut_offs else 0 end,
    progress = coalesce(p_progress, s.progress)
  where s.job_id = p_job_id
  returning s.* into v_state;

  if p_show and v_state.progress is not null and (
    v_state.progress_at is null
    or v_state.progress_at <= v_now - make_interval(secs => v_settings.progress_interval_ms / 1000.0)
  ) then
    update jobs.jobs j set progress = v_state.progress where j.id = p_job_id;
    update jobs_private.job_state s set progress = null, progress_at = v_now where s.job_id = p_job_id;
  end if;
end
$$;
revoke all on function jobs_private.renew_lease(uuid, jsonb, jsonb, boolean) from public;
comment on function jobs_private.renew_lease(uuid, jsonb, jsonb, boolean) is 'Renews a lease and shows progress now and then';

-- running stays running: renews the lease beside a long statement, and shows progress. Locks the state row, and the
-- job's row only where there is progress to show. For the worker's login.
create function jobs_private.heartbeat(p_job_id uuid, p_token bigint, p_progress jsonb default null) returns void
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
declare
  v_show boolean := p_progress is not null or exists (
    select from jobs_private.job_state s where s.job_id = p_job_id and s.progress is not null
  );
begin
  if v_show then
    perform jobs_private.hold_lease(p_job_id, p_token);
  else
    perform jobs_private.check_lease(p_job_id, p_token);
  end if;
  perform jobs_private.renew_lease(p_job_id, null, p_progress, v_show);
end
$$;
revoke all on function jobs_private.heartbeat(uuid, bigint, jsonb) from public;
grant execute on function jobs_private.heartbeat(uuid, bigint, jsonb) to longshore_worker;
comment on function jobs_private.heartbeat(uuid, bigint, jsonb) is 'Renews the lease of a running job';

-- running stays running: the last statement of a chunk's transaction. Saves where to go on together with the rows
-- that were written, or refuses both. Locks the job's row, then the state row, until COMMIT. For the worker's login.
-- The commit does not wait for the disk: should the server crash at that moment, the chunk is lost together with the
-- cursor, and done again. What ends a job does wait, and with it the disk has all that came before.
create function jobs_private.checkpoint(p_job_id uuid, p_token bigint, p_cursor jsonb, p_progress jsonb default null)
returns void
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
begin
  perform jobs_private.hold_lease(p_job_id, p_token);
  perform jobs_private.renew_lease(p_job_id, p_cursor, p_progress, true);
  perform set_config('synchronous_commit', 'off', true);
end
$$;
revoke all on function jobs_private.checkpoint(uuid, bigint, jsonb, jsonb) from public;
grant execute on function jobs_private.checkpoint(uuid, bigint, jsonb, jsonb) to longshore_worker;
comment on function jobs_private.checkpoint(uuid, bigint, jsonb, jsonb) is 'Commits a chunk''s cursor with its rows';

-- running → queued without using up an attempt: the slice ends early and the next one goes on, now or after p_delay.
-- p_cut_off says that the isolate ends, whatever the slice is at: then p_cursor counts only where the slice has saved
-- none itself, which may be further on. Without either, the next slice has everything before it that this one had; after
-- as many of those in a row as a job has attempts, running → failed. Locks the job's row, then the state row; dispatches. For
-- the worker's login.
create function jobs_private.release_job(
  p_job_id uuid,
  p_token bigint,
  p_cursor jsonb default null,
  p_delay interval default '0',
  p_cut_off boolean default false
) returns void
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
declare
  v_cut_offs integer;
begin
  perform jobs_private.hold_lease(p_job_id, p_token);
  select case when p_cut_off and not s.saved and p_cursor is null then s.cut_offs + 1 else 0 end into v_cut_offs
  from jobs_private.job_state s where s.job_id = p_job_id;
  if exists (select from jobs.jobs j where j.id = p_job_id and v_cut_offs >= j.max_attempts) then
    perform jobs_private.close_job(p_job_id, 'failed', null, jsonb_build_object(
      'code', 'internal',
      'message', format('Cannot finish the job: it was cut off %s times in a row before it had come any further', v_cut_offs),
      'details', null
    ));
    return;
  end if;
  update jobs.jobs j set state = 'queued', progress = coalesce(s.progress, j.progress)
  from jobs_private.job_state s
  where j.id = p_job_id and s.job_id = j.id;
  update jobs_private.job_state s
  set
    token = null,
    lease_expires_at = null,
    released = true,
    cut_offs = v_cut_offs,
    cursor = case when p_cut_off and s.saved then s.cursor else coalesce(p_cursor, s.cursor) end,
    progress = null,
    run_after = jobs.now() + p_delay
  where s.job_id = p_job_id;
  perform jobs_private.dispatch();
end
$$;
revoke all on function jobs_private.release_job(uuid, bigint, jsonb, interval, boolean) from public;
grant execute on function jobs_private.release_job(uuid, bigint, jsonb, interval, boolean) to longshore_worker;
comment on function jobs_private.release_job(uuid, bigint, jsonb, interval, boolean) is 'Gives a job back to be gone on with';

-- running → succeeded. Locks the job's row, then the state row; dispatches. For the worker's login.
create function jobs_private.finish_job(p_job_id uuid, p_token bigint, p_result jsonb) returns void
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
begin
  perform jobs_private.hold_lease(p_job_id, p_token);
  perform jobs_private.close_job(p_job_id, 'succeeded', coalesce(p_result, '{}'), null);
end
$$;
revoke all on function jobs_private.finish_job(uuid, bigint, jsonb) from public;
grant execute on function jobs_private.finish_job(uuid, bigint, jsonb) to longshore_worker;
comment on function jobs_private.finish_job(uuid, bigint, jsonb) is 'Ends a job with its result';

-- running → queued with a wait where p_retry and attempts are left, else running → failed. Locks the job's row, then
-- the state row; dispatches. For the worker's login.
create function jobs_private.fail_job(p_job_id uuid, p_token bigint, p_error jsonb, p_retry boolean) returns void
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
begin
  perform jobs_private.hold_lease(p_job_id, p_token);
  if p_retry then
    perform jobs_private.end_attempt(p_job_id, p_error);
  else
    perform jobs_private.close_job(p_job_id, 'failed', null, p_error);
  end if;
end
$$;
revoke all on function jobs_private.fail_job(uuid, bigint, jsonb, boolean) from public;
grant execute on function jobs_private.fail_job(uuid, bigint, jsonb, boolean) to longshore_worker;
comment on function jobs_private.fail_job(uuid, bigint, jsonb, boolean) is 'Ends an attempt with its error';
