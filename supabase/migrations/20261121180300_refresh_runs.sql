-- A slice says which job it holds, never which view: what is executed comes from the registry. One run serves every job
-- that waited for the same view when it began, since it shows what all of them asked to see. What a run writes down, it
-- writes in the transaction of the refresh, so that the numbers and the moment they are of change together.

-- Whether a job's owner may refresh its view now, for the job's organization; the system may. Takes on the owner's claims
-- for as long as it asks. Reads only; for the engine's own functions.
create function jobs_private.may_refresh(p_job_id uuid) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_before text := current_setting('request.jwt.claims', true);
  v_job jobs.jobs;
  v_claims jsonb;
  v_may boolean;
begin
  select * into v_job from jobs.jobs j where j.id = p_job_id;
  if v_job.owner_id is null then
    return v_job.id is not null;
  end if;
  v_claims := (
    select jobs_private.read_claims(s.owner_id, s.owner_aal) from jobs_private.job_state s where s.job_id = p_job_id
  );
  if v_claims is null then
    return false;
  end if;
  perform set_config('request.jwt.claims', v_claims::text, true);
  v_may := v_job.org_id in (select jobs_private.refresh_orgs(v_job.params ->> 'view'));
  perform set_config('request.jwt.claims', coalesce(v_before, ''), true);
  return v_may;
end
$$;
revoke all on function jobs_private.may_refresh(uuid) from public;
comment on function jobs_private.may_refresh(uuid) is 'Whether the owner of a refresh may have it';

-- Notes that a run begins and returns {refresh_id, view, refreshed_at, expected_ms}; refuses with unknown_view or
-- not_allowed, since a job may have been made past the Edge Function, or the right be gone. Runs that ended without a
-- word are marked as failed, which the view says too, and those as old as jobs get are deleted. Locks the job's row; for
-- the worker's login.
create function jobs_private.begin_refresh(p_job_id uuid, p_token bigint) returns jsonb
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_view text;
  v_known jobs.refreshable_views;
  v_refresh_id bigint;
begin
  perform jobs_private.hold_lease(p_job_id, p_token);
  v_view := (select j.params ->> 'view' from jobs.jobs j where j.id = p_job_id);
  perform jobs_private.require_view(v_view);
  if not jobs_private.may_refresh(p_job_id) then
    perform longshore_private.raise_error(403, 'not_allowed', format(
      'Cannot refresh the view "%s": expected an owner or admin of an organization whose data it shows', v_view));
  end if;

  with ended as (
    update jobs.refreshes r
    set
      state = 'failed',
      finished_at = v_now,
      duration_ms = greatest(0, extract(epoch from v_now - r.started_at) * 1000),
      error = '{"code": "internal", "message": "Cannot finish the refresh: it stopped without an answer", "details": null}'
    where r.view = v_view and r.state = 'running'
    returning r.job_id, r.error
  )
  update jobs.refreshable_views v
  set failed_at = v_now, error = e.error
  from ended e
  -- Whoever cancels a refresh knows that it did not come about.
  where v.view = v_view and not exists (select from jobs.jobs j where j.id = e.job_id and j.state = 'cancelled');
  delete from jobs.refreshes r
  where r.view = v_view
    and r.started_at < (select v_now - make_interval(days => g.job_days) from jobs.settings g);
  insert into jobs.refreshes (view, job_id, started_at) values (v_view, p_job_id, v_now) returning id into v_refresh_id;
  select * into v_known from jobs.refreshable_views v where v.view = v_view;
  return jsonb_build_object(
    'refresh_id', v_refresh_id, 'view', v_view, 'refreshed_at', v_known.refreshed_at, 'expected_ms', v_known.duration_ms
  );
end
$$;
revoke all on function jobs_private.begin_refresh(uuid, bigint) from public;
grant execute on function jobs_private.begin_refresh(uuid, bigint) to longshore_worker;
comment on function jobs_private.begin_refresh(uuid, bigint) is 'Begins a run of a job''s view, or refuses it';

-- Refreshes the view of a run and returns {view, refreshed_at, duration_ms, concurrent, jobs_served}, the result of
-- every job it serves; the caller's own job is ended by its slice. Those are the jobs that were waiting before the view
-- was read: whatever their people had written by then is in it. The view's owner reads the tables, so that it holds the
-- rows of every tenant. Readers go on reading, but for the first refresh of an empty view, which they cannot read
-- anyway. Locks the view against another refresh, then the job's row, then those of the jobs it serves, by id. For the
-- worker's login, in a transaction with the timeouts that the caller has set.
create function jobs_private.refresh_view(p_job_id uuid, p_token bigint, p_refresh_id bigint) returns jsonb
language plpgsql
security definer -- may refresh, and nobody but the engine writes these tables
set search_path = ''
as $$
declare
  v_view text;
  v_relation regclass;
  v_waiting uuid[];
  v_as_of timestamptz;
  v_began timestamptz := clock_timestamp();
  v_concurrent boolean;
  v_duration_ms integer;
  v_result jsonb;
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  select r.view, to_regclass(s.relation) into v_view, v_relation
  from jobs.refreshes r
  join jobs_private.view_sources s on s.view = r.view
  where r.id = p_refresh_id and r.job_id = p_job_id and r.state = 'running';
  if v_relation is null then
    raise exception using
      errcode = 'undefined_table', message = format('Cannot refresh the view "%s": found no run or no relation', v_view);
  end if;
  v_waiting := array(
    select j.id from jobs.jobs j
    where j.kind = 'refresh' and j.state = 'queued' and j.params ->> 'view' = v_view and jobs_private.may_refresh(j.id)
  );
  -- Behind the look for who waits: nobody who is served asked later than this.
  v_as_of := jobs.now();

  v_concurrent := (select c.relispopulated from pg_catalog.pg_class c where c.oid = v_relation);
  execute format(
    'refresh materialized view %s %s', case when v_concurrent then 'concurrently' else '' end, v_relation);
  v_duration_ms := extract(epoch from clock_timestamp() - v_began) * 1000;

  perform jobs_private.hold_lease(p_job_id, p_token);
  v_waiting := array(
    select j.id from jobs.jobs j
    where j.id = any (v_waiting) and j.state = 'queued'
    order by j.id
    for no key update
  );
  v_result := jsonb_build_object(
    'view', v_view, 'refreshed_at', v_as_of, 'duration_ms', v_duration_ms, 'concurrent', v_concurrent,
    'jobs_served', cardinality(v_waiting)
  );
  update jobs.refreshes r
  set
    state = 'succeeded',
    concurrent = v_concurrent,
    jobs_served = cardinality(v_waiting),
    finished_at = greatest(r.started_at, jobs.now()),
    duration_ms = v_duration_ms
  where r.id = p_refresh_id;
  update jobs.refreshable_views v
  set refreshed_at = v_as_of, duration_ms = v_duration_ms, failed_at = null, error = null
  where v.view = v_view;
  perform jobs_private.end_waiting(v_waiting, v_as_of, v_result, null);
  return v_result;
end
$$;
revoke all on function jobs_private.refresh_view(uuid, bigint, bigint) from public;
grant execute on function jobs_private.refresh_view(uuid, bigint, bigint) to longshore_worker;
comment on function jobs_private.refresh_view(uuid, bigint, bigint) is
  'Refreshes the view of a run and ends the jobs that waited for it';

-- queued → succeeded with p_result or failed with p_error, for jobs that another job's run has served. Locks their rows,
-- which the caller has locked already, then their state rows; for the engine's own functions.
create function jobs_private.end_waiting(p_job_ids uuid[], p_began timestamptz, p_result jsonb, p_error jsonb) returns void
language sql
set search_path = ''
as $$
  update jobs.jobs j
  set
    state = case when p_error is null then 'succeeded' else 'failed' end,
    result = p_result,
    error = p_error,
    progress = case when p_error is null then j.progress || '{"phase": "refreshed", "percent": 100}' else j.progress end,
    started_at = coalesce(j.started_at, p_began),
    finished_at = jobs.now()
  where j.id = any (p_job_ids);
  update jobs_private.job_state s
  set token = null, lease_expires_at = null, progress = null, nudged_at = null
  where s.job_id = any (p_job_ids);
$$;
revoke all on function jobs_private.end_waiting(uuid[], timestamptz, jsonb, jsonb) from public;
comment on function jobs_private.end_waiting(uuid[], timestamptz, jsonb, jsonb) is 'Ends jobs that waited for a run of another';

-- Notes that a run has failed; the view shows what it showed before. With p_final nobody tries again, and the jobs that
-- had waited for this run fail with it, for they would fail alike; one that is to try again later by itself does so.
-- Locks the job's row, then those of the jobs that waited, by id; for the worker's login.
create function jobs_private.fail_refresh(
  p_job_id uuid,
  p_token bigint,
  p_refresh_id bigint,
  p_error jsonb,
  p_final boolean
) returns void
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_run jobs.refreshes;
begin
  perform jobs_private.hold_lease(p_job_id, p_token);
  update jobs.refreshes r
  set
    state = 'failed',
    finished_at = greatest(r.started_at, v_now),
    duration_ms = greatest(0, extract(epoch from v_now - r.started_at) * 1000),
    error = p_error
  where r.id = p_refresh_id and r.job_id = p_job_id and r.state = 'running'
  returning r.* into v_run;
  if v_run.id is null then
    return;
  end if;
  update jobs.refreshable_views v set failed_at = v_now, error = p_error where v.view = v_run.view;
  if p_final then
    perform jobs_private.end_waiting(
      array(
        select j.id
        from jobs.jobs j
        join jobs_private.job_state s on s.job_id = j.id
        where j.kind = 'refresh' and j.state = 'queued' and j.params ->> 'view' = v_run.view
          and greatest(j.created_at, s.run_after) <= v_run.started_at
        order by j.id
        for no key update of j
      ),
      v_run.started_at, null, p_error
    );
  end if;
end
$$;
revoke all on function jobs_private.fail_refresh(uuid, bigint, bigint, jsonb, boolean) from public;
grant execute on function jobs_private.fail_refresh(uuid, bigint, bigint, jsonb, boolean) to longshore_worker;
comment on function jobs_private.fail_refresh(uuid, bigint, bigint, jsonb, boolean) is 'Notes that a run has failed';
