-- A slice works on a job under a lease: a token that nobody had before, and a time at which it is over. Whoever claims
-- a job writes as the person who asked for it, with the rights that person has now.

-- The claims of a person as of now, or null where the account is deleted or banned. Reads only.
create function jobs_private.read_claims(p_user_id uuid, p_aal text) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'sub', u.id,
    'role', 'authenticated',
    'aud', 'authenticated',
    'aal', coalesce(p_aal, 'aal1'),
    'email', u.email,
    'is_anonymous', u.is_anonymous,
    'app_metadata', coalesce(u.raw_app_meta_data, '{}'),
    'user_metadata', coalesce(u.raw_user_meta_data, '{}')
  )
  from auth.users u
  where u.id = p_user_id
    and u.deleted_at is null
    and (u.banned_until is null or u.banned_until <= jobs.now())
$$;
revoke all on function jobs_private.read_claims(uuid, text) from public;
comment on function jobs_private.read_claims(uuid, text) is 'JWT claims of a person as the account is now';

-- What a chunk's transaction sets as request.jwt.claims. LS003 where the owner is gone. Reads only; for the worker.
create function jobs_private.owner_claims(p_job_id uuid) returns jsonb
language plpgsql stable
security definer -- reads auth.users and the engine's tables
set search_path = ''
as $$
declare
  v_claims jsonb := (
    select jobs_private.read_claims(s.owner_id, s.owner_aal) from jobs_private.job_state s where s.job_id = p_job_id
  );
begin
  if v_claims is null then
    raise exception using
      errcode = 'LS003',
      message = format('Cannot go on with the job "%s": the person who started it has no account any more', p_job_id);
  end if;
  return v_claims;
end
$$;
revoke all on function jobs_private.owner_claims(uuid) from public;
grant execute on function jobs_private.owner_claims(uuid) to longshore_worker;
comment on function jobs_private.owner_claims(uuid) is 'Claims of a job''s owner; raises LS003 when deleted or banned';

-- Whether limits and waiting times let this one job start now. A job whose function was told within the last
-- nudge_seconds has its slot: who asks unbidden, as the request that made a job does, takes none from it, or a tenant that
-- asks all the time would always be the first at a free slot. Reads only.
create function jobs_private.may_start(p_job_id uuid, p_now timestamptz) returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select
    from jobs.jobs j
    join jobs_private.job_state s on s.job_id = j.id
    cross join jobs.settings g
    cross join lateral (
      select count(*) as in_all, count(*) filter (where t.org_id = j.org_id) as of_org
      from (
        select r.org_id from jobs.jobs r where r.state = 'running'
        union all
        select q.org_id
        from jobs_private.job_state n join jobs.jobs q on q.id = n.job_id
        where n.nudged_at > p_now - make_interval(secs => g.nudge_seconds)
          and q.state = 'queued'
          and (s.nudged_at > p_now - make_interval(secs => g.nudge_seconds)) is not true
      ) t
    ) taken
    where j.id = p_job_id
      and j.state = 'queued'
      and s.run_after <= p_now
      and taken.in_all < g.running_in_all
      and taken.of_org < g.running_per_org
  )
$$;
revoke all on function jobs_private.may_start(uuid, timestamptz) from public;
comment on function jobs_private.may_start(uuid, timestamptz) is 'Whether a queued job is due and has a free slot';

-- queued → running, for the given job or the most entitled one of the given kinds; no row when nothing may start now.
-- Claims come one after the other under one advisory lock: the limit in all and the limit of an organization are then
-- exact, and a claim is a matter of a millisecond. Rows that somebody is changing are skipped, not waited for. A new
-- attempt is counted unless the last slice ended by its own will. A job whose owner is gone fails here. p_worker is
-- the name of the session's application. For the worker's login.
create function jobs_private.claim_job(p_kinds text[], p_worker text, p_job_id uuid default null)
returns table (token bigint, job jsonb, cursor jsonb, file jsonb, owner_claims jsonb, settings jsonb)
language plpgsql
security definer -- nobody but the engine writes these tables
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_settings jobs.settings;
  v_candidates uuid[];
  v_candidate uuid;
  v_job jobs.jobs;
  v_state jobs_private.job_state;
  v_claims jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('jobs.claim', 0));
  v_now := jobs.now();
  select * into v_settings from jobs.settings;
  if p_job_id is null then
    v_candidates := array(select jobs_private.waiting_jobs(v_now, p_kinds));
  elsif jobs_private.may_start(p_job_id, v_now) then
    v_candidates := array[p_job_id];
  else
    -- Its function is there, only the slot is gone.
    update jobs_private.job_state s set unanswered = 0 where s.job_id = p_job_id and s.unanswered > 0;
  end if;

  foreach v_candidate in array coalesce(v_candidates, '{}') loop
    select * into v_job from jobs.jobs j
    where j.id = v_candidate and j.state = 'queued' and (p_kinds is null or j.kind = any (p_kinds))
    for no key update skip locked;
    continue when v_job.id is null;
    select * into v_state from jobs_private.job_state s where s.job_id = v_job.id for no key update;

    v_claims := jobs_private.read_claims(v_job.owner_id, v_state.owner_aal);
    if v_claims is null then
      perform jobs_private.close_job(v_job.id, 'failed', null, jsonb_build_object(
        'code', 'not_allowed',
        'message', 'Cannot go on with the job: the person who started it has no account any more',
        'details', null
      ));
      continue;
    end if;

    perform jobs_private.end_holder(v_state);
    update jobs.jobs j
    set
      state = 'running',
      attempt = case when v_state.released then j.attempt else j.attempt + 1 end,
      started_at = coalesce(j.started_at, v_now)
    where j.id = v_job.id;
    update jobs_private.job_state s
    set
      token = nextval('jobs_private.tokens'),
      lease_expires_at = v_now + make_interval(secs => v_settings.lease_seconds),
      released = false,
      saved = false,
      nudged_at = null,
      unanswered = 0,
      slices = s.slices + 1,
      worker = p_worker,
      backend_pid = pg_backend_pid(),
      backend_start = (select a.backend_start from pg_stat_activity a where a.pid = pg_backend_pid())
    where s.job_id = v_job.id
    returning s.* into v_state;
    insert into jobs_private.tenants as o (org_id, last_claim_at) values (v_job.org_id, v_now)
    on conflict on constraint tenants_pkey do update set last_claim_at = excluded.last_claim_at;

    return query select
      v_state.token, jobs_private.public_job(v_job.id), v_state.cursor, v_state.file, v_claims,
      jobs_private.read_settings();
    return;
  end loop;
end
$$;
revoke all on function jobs_private.claim_job(text[], text, uuid) from public;
grant execute on function jobs_private.claim_job(text[], text, uuid) to longshore_worker;
comment on function jobs_private.claim_job(text[], text, uuid) is 'Takes a lease on a queued job and says all a slice needs';
