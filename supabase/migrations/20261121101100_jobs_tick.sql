-- Messages get lost and isolates die: every ten seconds the tick finds what was left behind, so that nothing depends on
-- a message arriving. It also cleans up what has outlived its use.

-- running → queued (or failed, when the attempts are used up) for every job whose lease is over; says how many. Locks
-- jobs' rows, then their state rows, skipping locked ones. For tick().
create function jobs_private.recover_leases() returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_job_id uuid;
  v_state jobs_private.job_state;
  v_recovered integer := 0;
begin
  for v_job_id in
    select j.id
    from jobs.jobs j join jobs_private.job_state s on s.job_id = j.id
    where j.state = 'running' and s.lease_expires_at <= v_now
    order by s.lease_expires_at
    for no key update of j skip locked
  loop
    -- A heartbeat does not lock the job's row and may have renewed the lease a moment ago.
    select * into v_state from jobs_private.job_state s
    where s.job_id = v_job_id and s.lease_expires_at <= v_now
    for no key update;
    continue when not found;
    perform jobs_private.end_holder(v_state);
    perform jobs_private.end_attempt(v_job_id, jsonb_build_object(
      'code', 'internal',
      'message', 'Cannot finish the job: every attempt stopped without an answer',
      'details', null
    ));
    v_recovered := v_recovered + 1;
  end loop;
  return v_recovered;
end
$$;
revoke all on function jobs_private.recover_leases() from public;
comment on function jobs_private.recover_leases() is 'Queues jobs again whose slice has died';

-- Drops the staging of checks whose time has come and that no commit is at work on, and says how many; of deleted
-- checks too. With it go the cursors of the check and its commit, which may hold people's values, such as the rows of a
-- preview: nothing can go on from them any more. Locks state rows, skipping locked ones, and what drop_staging() locks;
-- passes over checks whose tables somebody else holds, up to three. For tick().
create function jobs_private.expire_checks() returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_job_id uuid;
  v_expired integer := 0;
  v_stuck integer := 0;
begin
  begin
    perform jobs_private.drop_staging(null);
  exception when lock_not_available or deadlock_detected then
    v_stuck := 1;
  end;
  for v_job_id in
    select s.job_id from jobs_private.job_state s
    where s.staging_until <= jobs.now()
      and not exists (
        select from jobs.jobs c where c.parent_id = s.job_id and c.state in ('queued', 'running')
      )
    order by s.staging_until
    limit 20
    for no key update skip locked
  loop
    begin
      perform jobs_private.drop_staging(v_job_id);
      update jobs_private.job_state set staging_until = null, cursor = null where job_id = v_job_id;
      update jobs_private.job_state s set cursor = null
      from jobs.jobs c
      where c.parent_id = v_job_id and s.job_id = c.id and s.cursor is not null;
      v_expired := v_expired + 1;
    exception when lock_not_available or deadlock_detected then
      -- Somebody sits on these tables, such as a slice that has died: the others need not wait for that.
      v_stuck := v_stuck + 1;
      exit when v_stuck = 3;
    end;
  end loop;
  return v_expired;
end
$$;
revoke all on function jobs_private.expire_checks() from public;
comment on function jobs_private.expire_checks() is 'Drops staged rows that have expired';

-- The files of jobs whose time has come, as [{job_id, bucket, path}]: SQL may not delete them, jobs-tick does it
-- through Storage and then calls files_deleted(). Jobs without files are ticked off at once. Locks state rows, skipping
-- locked ones. For tick().
create function jobs_private.expired_files() returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_jobs uuid[] := array(
    select s.job_id from jobs_private.job_state s
    where s.files_until <= jobs.now()
    order by s.files_until
    limit 50
    for no key update skip locked
  );
  v_files jsonb;
begin
  if v_jobs = '{}' then
    return '[]';
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('job_id', j.id, 'bucket', o.bucket_id, 'path', o.name)), '[]')
  into v_files
  from jobs.jobs j
  join storage.objects o on o.bucket_id = 'exports' and o.name collate "C" >= j.org_id || '/' || j.id || '/'
    -- "0" is the character behind "/": a range that the bucket's index serves.
    and o.name collate "C" < j.org_id || '/' || j.id || '0'
  where j.id = any (v_jobs);
  perform jobs_private.files_deleted(array(
    select v.id from unnest(v_jobs) as v (id)
    except
    select (f.value ->> 'job_id')::uuid from jsonb_array_elements(v_files) f
  ));
  return v_files;
end
$$;
revoke all on function jobs_private.expired_files() from public;
comment on function jobs_private.expired_files() is 'Files in the bucket "exports" that are to be deleted';

-- Notes that jobs have no files any more. Locks their state rows; for the worker's login.
create function jobs_private.files_deleted(p_job_ids uuid[]) returns void
language sql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
  update jobs_private.job_state set files_until = null
  where job_id = any (p_job_ids) and files_until <= jobs.now()
$$;
revoke all on function jobs_private.files_deleted(uuid[]) from public;
grant execute on function jobs_private.files_deleted(uuid[]) to longshore_worker;
comment on function jobs_private.files_deleted(uuid[]) is 'Notes that the files of jobs are gone';

-- Finished jobs older than job_days that have nothing left elsewhere. Reads only; for the engine's own functions.
create function jobs_private.outlived_jobs() returns setof uuid
language sql stable
set search_path = ''
as $$
  select j.id
  from jobs.jobs j
  join jobs_private.job_state s on s.job_id = j.id
  where j.finished_at <= (select jobs.now() - make_interval(days => g.job_days) from jobs.settings g)
    and s.staging_until is null
    and s.files_until is null
  order by j.finished_at
  limit 50
$$;
revoke all on function jobs_private.outlived_jobs() from public;
comment on function jobs_private.outlived_jobs() is 'Jobs that may be deleted';

-- Everything that time asks for; returns {dispatched, recovered, expired, purged, files}. The clean-up gives way after
-- half a second where somebody holds a lock, and comes again in ten seconds. Locks what its parts lock; for the
-- worker's login.
create function jobs_private.tick() returns jsonb
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
set lock_timeout = '500ms'
as $$
declare
  v_recovered integer := jobs_private.recover_leases();
  v_dispatched integer := jobs_private.dispatch();
  v_expired integer := 0;
  v_purged integer := 0;
begin
  begin
    v_expired := jobs_private.expire_checks();
    delete from jobs.jobs where id in (select jobs_private.outlived_jobs());
    get diagnostics v_purged = row_count;
  exception when lock_not_available or deadlock_detected then
    v_expired := 0;
    v_purged := 0;
  end;
  return jsonb_build_object(
    'dispatched', v_dispatched, 'recovered', v_recovered, 'expired', v_expired, 'purged', v_purged,
    'files', jobs_private.expired_files()
  );
end
$$;
revoke all on function jobs_private.tick() from public;
grant execute on function jobs_private.tick() to longshore_worker;
comment on function jobs_private.tick() is 'Recovers, dispatches, expires and purges';
