-- What the owner of a job may do with it through the API, beside starting it: cancel it, and have it tried again.

-- The caller's own job, locked. 404 for a job the caller may not even see, as after leaving its organization; 403 for an
-- admin who sees it: nobody acts for another person.
create function jobs_private.lock_own_job(p_job_id uuid, p_verb text) returns jobs.jobs
language plpgsql
set search_path = ''
as $$
declare
  v_job jobs.jobs;
begin
  select * into v_job from jobs.jobs j where j.id = p_job_id for no key update;
  if v_job.id is null
    or (v_job.owner_id is distinct from auth.uid() or v_job.org_id not in (select public.member_orgs()))
      and v_job.org_id not in (select public.admin_orgs())
  then
    perform longshore_private.raise_error(404, 'job_not_found', format('Cannot find the job "%s"', p_job_id));
  elsif v_job.owner_id is distinct from auth.uid() then
    perform longshore_private.raise_error(403, 'not_allowed',
      format('Cannot %s the job "%s": found a job of another person', p_verb, p_job_id));
  end if;
  return v_job;
end
$$;
revoke all on function jobs_private.lock_own_job(uuid, text) from public;
comment on function jobs_private.lock_own_job(uuid, text) is 'Locks a job of the caller, or refuses';

-- queued | running → cancelled, at once: whoever runs the job finds out by its next write. A job that has ended stays
-- as it is. Locks the job's row, then its state row; for the owner.
create function jobs.cancel_job(job_id uuid) returns jsonb
language plpgsql
security definer -- nobody but the engine writes jobs
set search_path = ''
as $$
declare
  v_job jobs.jobs := jobs_private.lock_own_job(cancel_job.job_id, 'cancel');
begin
  if v_job.state in ('queued', 'running') then
    perform jobs_private.close_job(v_job.id, 'cancelled', null, null);
  end if;
  return jobs_private.public_job(v_job.id);
end
$$;
revoke all on function jobs.cancel_job(uuid) from public;
grant execute on function jobs.cancel_job(uuid) to authenticated;
comment on function jobs.cancel_job(uuid) is 'Cancels a job of the caller and returns it';

-- failed | cancelled → queued, with a fresh set of attempts and the cursor it had. Refused once what it would go on
-- with has expired. Locks the caller's requests (advisory), as starting a job does, then the job's row and its state
-- row; for the owner.
create function jobs.retry_job(job_id uuid) returns jsonb
language plpgsql
security definer -- nobody but the engine writes jobs
set search_path = ''
as $$
declare
  v_job jobs.jobs;
  v_staging_until timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('jobs.enqueue:' || auth.uid(), 0));
  v_job := jobs_private.lock_own_job(retry_job.job_id, 'retry');
  if v_job.state not in ('failed', 'cancelled') then
    perform longshore_private.raise_error(400, 'invalid_request',
      format('Cannot retry the job "%s": found it %s, expected failed or cancelled', v_job.id, v_job.state));
  end if;
  if v_job.kind in ('import_check', 'import_commit') then
    select s.staging_until into v_staging_until
    from jobs_private.job_state s
    where s.job_id = case v_job.kind when 'import_check' then v_job.id else v_job.parent_id end
    for no key update;
    if v_staging_until is null or v_staging_until <= jobs.now() then
      perform longshore_private.raise_error(409, 'expired',
        format('Cannot retry the job "%s": what it would go on with has expired', v_job.id));
    end if;
  end if;
  perform jobs_private.require_room(v_job.owner_id);

  update jobs.jobs j
  set state = 'queued', attempt = 0, result = null, error = null, finished_at = null
  where j.id = v_job.id;
  update jobs_private.job_state s
  set
    token = null,
    lease_expires_at = null,
    released = false,
    cut_offs = 0,
    run_after = jobs.now(),
    last_error = null,
    owner_aal = coalesce(auth.jwt() ->> 'aal', s.owner_aal),
    staging_until = null,
    files_until = null
  where s.job_id = v_job.id;
  perform jobs_private.dispatch();
  return jobs_private.public_job(v_job.id);
end
$$;
revoke all on function jobs.retry_job(uuid) from public;
grant execute on function jobs.retry_job(uuid) to authenticated;
comment on function jobs.retry_job(uuid) is 'Has a failed or cancelled job of the caller tried again and returns it';
