-- A job starts as a row that its owner asks for. What the owner may ask for is decided here, in one transaction with
-- the row: membership, the limit of unfinished jobs, the idempotency key, the check behind a commit, the file's pin.

-- The public job as JSON. Reads only; for the engine's own functions.
create function jobs_private.public_job(p_job_id uuid) returns jsonb
language sql stable
set search_path = ''
as $$
  select to_jsonb(j) from jobs.jobs j where j.id = p_job_id
$$;
revoke all on function jobs_private.public_job(uuid) from public;
comment on function jobs_private.public_job(uuid) is 'A row of jobs.jobs as JSON';

-- Refuses a commit unless the caller's check is done, kept and not committed yet. Locks the check's row against a
-- second commit and against the tick. For jobs_private.enqueue_job().
create function jobs_private.require_check(p_owner uuid, p_org_id uuid, p_check_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_check jobs.jobs;
  v_commit uuid;
  v_staging_until timestamptz;
begin
  select * into v_check from jobs.jobs j
  where j.id = p_check_id and j.kind = 'import_check' and j.org_id = p_org_id
  for no key update;
  if v_check.id is null or v_check.owner_id <> p_owner then
    perform longshore_private.raise_error(404, 'job_not_found',
      format('Cannot commit the import "%s": found no check of yours with this id', p_check_id));
  end if;

  select j.id into v_commit from jobs.jobs j where j.parent_id = p_check_id and j.kind = 'import_commit';
  if v_commit is not null then
    perform longshore_private.raise_error(409, 'already_committed',
      format('Cannot commit the import "%s" again: found a commit of it', p_check_id),
      jsonb_build_object('job_id', v_commit));
  end if;
  if v_check.state <> 'succeeded' then
    perform longshore_private.raise_error(409, 'not_checked',
      format('Cannot commit the import "%s": found its check %s, expected succeeded', p_check_id, v_check.state));
  end if;

  select s.staging_until into v_staging_until from jobs_private.job_state s where s.job_id = p_check_id for update;
  if v_staging_until is null or v_staging_until <= jobs.now() then
    perform longshore_private.raise_error(409, 'expired',
      format('Cannot commit the import "%s": its check has expired, check the file again', p_check_id));
  end if;
end
$$;
revoke all on function jobs_private.require_check(uuid, uuid, uuid) from public;
comment on function jobs_private.require_check(uuid, uuid, uuid) is 'Raises unless a check can be committed';

-- Refuses one more unfinished job of a person than the settings allow. Reads only; the caller holds the owner's lock.
create function jobs_private.require_room(p_owner uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_limit integer := (select s.unfinished_per_person from jobs.settings s);
  v_unfinished integer := (
    select count(*) from jobs.jobs j where j.owner_id = p_owner and j.state in ('queued', 'running')
  );
begin
  if v_unfinished >= v_limit then
    perform longshore_private.raise_error(429, 'too_many_jobs',
      format('Cannot start a job: found %s unfinished jobs of yours, expected fewer than %s', v_unfinished, v_limit));
  end if;
end
$$;
revoke all on function jobs_private.require_room(uuid) from public;
comment on function jobs_private.require_room(uuid) is 'Raises too_many_jobs at the limit of unfinished jobs';

-- Makes the job; the other half of jobs.enqueue_job(), which has looked the file up with the caller's own rights.
-- Locks, in this order: the owner's requests (advisory), the check's row, the check's state. Through the API it is
-- reached by jobs.enqueue_job() only, since this schema is not exposed; a forged pin would fail the first slice, which
-- looks the file up as the owner once more.
create function jobs_private.enqueue_job(
  p_function text,
  p_kind text,
  p_org_id uuid,
  p_params jsonb,
  p_parent_id uuid,
  p_idempotency_key text,
  p_request_hash text,
  p_file jsonb,
  p_pin jsonb
) returns jsonb
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
declare
  v_owner uuid := auth.uid();
  v_known jobs_private.job_state;
  v_job_id uuid;
begin
  if v_owner is null then
    perform longshore_private.raise_error(401, 'not_authenticated',
      'Cannot start a job: found nobody signed in, expected a person');
  end if;
  if not exists (
    select from jobs_private.kinds k where k.kind = p_kind and k.function_name = p_function
  ) then
    perform longshore_private.raise_error(400, 'invalid_request',
      format('Cannot start a job: found kind "%s" of the function "%s", expected one of %s', p_kind, p_function,
        (select string_agg(format('"%s" of "%s"', k.kind, k.function_name), ', ' order by k.kind)
         from jobs_private.kinds k)));
  end if;
  -- People reach this without the Edge Functions too, so that nothing may be larger or stranger than those allow.
  if coalesce(jsonb_typeof(p_params), 'object') <> 'object' or octet_length(p_params::text) > 100000 then
    perform longshore_private.raise_error(400, 'invalid_request',
      'Cannot start a job: expected params as an object of at most 100,000 bytes', jsonb_build_object('path', 'p_params'));
  end if;
  if octet_length(p_idempotency_key) > 1000 or octet_length(p_request_hash) > 1000 then
    perform longshore_private.raise_error(400, 'invalid_request',
      'Cannot start a job: expected an Idempotency-Key and a hash of at most 1,000 bytes each');
  end if;
  if p_parent_id is not null and p_kind <> 'import_commit' then
    perform longshore_private.raise_error(400, 'invalid_request',
      format('Cannot start a job: found a parent of the kind "%s", expected one of "import_commit" only', p_kind),
      jsonb_build_object('path', 'p_parent_id'));
  end if;
  if p_org_id is null or p_org_id not in (select public.member_orgs()) then
    perform longshore_private.raise_error(403, 'not_allowed',
      'Cannot start a job for this organization: found no membership of yours');
  end if;

  -- One request of a person at a time: two with one key must not both find nothing, nor two pass the limit together.
  perform pg_advisory_xact_lock(hashtextextended('jobs.enqueue:' || v_owner, 0));

  if p_idempotency_key is not null then
    select * into v_known from jobs_private.job_state s
    where s.owner_id = v_owner and s.function_name = p_function and s.idempotency_key = p_idempotency_key;
    -- A job of an organization that the person has left is not shown again.
    if v_known.job_id is not null and (
      v_known.request_hash is distinct from p_request_hash
      or not exists (select from jobs.jobs j where j.id = v_known.job_id and j.org_id in (select public.member_orgs()))
    ) then
      perform longshore_private.raise_error(409, 'idempotency_conflict',
        'Cannot start a job: found another request under the same Idempotency-Key, expected the same body',
        jsonb_build_object('job_id', v_known.job_id));
    elsif v_known.job_id is not null then
      return jsonb_build_object('job', jobs_private.public_job(v_known.job_id), 'replayed', true);
    end if;
  end if;

  if p_kind = 'import_commit' then
    perform jobs_private.require_check(v_owner, p_org_id, p_parent_id);
  end if;
  if p_file is not null and p_pin is null then
    perform longshore_private.raise_error(404, 'file_not_found',
      format('Cannot find the file "%s" in the bucket "%s"', p_file ->> 'path', p_file ->> 'bucket'));
  end if;

  perform jobs_private.require_room(v_owner);

  insert into jobs.jobs (kind, org_id, owner_id, parent_id, params, max_attempts)
  select p_kind, p_org_id, v_owner, p_parent_id, coalesce(p_params, '{}'), s.max_attempts from jobs.settings s
  returning id into v_job_id;
  insert into jobs_private.job_state (
    job_id, function_name, owner_id, owner_aal, idempotency_key, request_hash, file
  )
  values (
    v_job_id, p_function, v_owner, auth.jwt() ->> 'aal', p_idempotency_key, p_request_hash, p_pin
  );
  return jsonb_build_object('job', jobs_private.public_job(v_job_id), 'replayed', false);
end
$$;

revoke all on function
  jobs_private.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb, jsonb) from public;
grant usage on schema jobs_private to authenticated;
grant execute on function
  jobs_private.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb, jsonb) to authenticated;
comment on function jobs_private.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb, jsonb) is
  'Makes a job of a request whose file is pinned';

-- Starts a job in the caller's name and returns {job, replayed}. Pins the file {bucket, path}: what the caller may
-- read of it decides, so this half has the caller's rights. Locks nothing itself; for signed-in people.
create function jobs.enqueue_job(
  p_function text,
  p_kind text,
  p_org_id uuid,
  p_params jsonb,
  p_parent_id uuid default null,
  p_idempotency_key text default null,
  p_request_hash text default null,
  p_file jsonb default null
) returns jsonb
language sql volatile
set search_path = ''
as $$
  select jobs_private.enqueue_job(
    p_function, p_kind, p_org_id, p_params, p_parent_id, p_idempotency_key, p_request_hash, p_file,
    (
      select jsonb_build_object(
        'bucket', o.bucket_id, 'path', o.name, 'id', o.id, 'version', o.version,
        'etag', o.metadata ->> 'eTag', 'size', (o.metadata ->> 'size')::bigint
      )
      from storage.objects o
      where o.bucket_id = p_file ->> 'bucket' and o.name = p_file ->> 'path'
    )
  )
$$;
revoke all on function jobs.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb) from public;
grant execute on function jobs.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb) to authenticated;
comment on function jobs.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb) is
  'Starts a job in the caller''s name; the same Idempotency-Key and request give the same job';
