-- Numbers that many organizations look at are counted by nobody in particular: a refresh that the clock asks for is a job
-- of the system, without an owner and without an organization. Nobody reads it, follows it or cancels it through the API
-- but the service, and it takes turns with the organizations as if it were one of them. A view is refreshed by one job at
-- a time; the others wait for it instead of queueing up inside the database.
alter table jobs.jobs alter column org_id drop not null;
alter table jobs.jobs alter column owner_id drop not null;
alter table jobs.jobs add constraint jobs_of_the_system_are_refreshes
  check ((owner_id is null) = (org_id is null) and (owner_id is not null or kind = 'refresh'));
alter table jobs_private.job_state alter column owner_id drop not null;
comment on column jobs.jobs.org_id is 'Whose job it is; null for a job of the system, which nobody but the service sees';
comment on column jobs.jobs.owner_id is
  'Who asked, and as whom the job writes; null for a job of the system. No foreign key, the history outlives the account';

-- The jobs of the system are looked up as those of the organization with the lowest id that there is.
drop index jobs.jobs_queued;
create index jobs_queued on jobs.jobs (coalesce(org_id, '00000000-0000-0000-0000-000000000000'), created_at)
where state = 'queued';
create index jobs_unfinished_refreshes on jobs.jobs ((params ->> 'view'), state)
where kind = 'refresh' and state in ('queued', 'running');

-- Sends the public job to its channels: its own, and its organization's where it has one. After insert and update on
-- jobs.jobs; changes no state, locks nothing.
create or replace function jobs_private.send_progress() returns trigger
language plpgsql
security definer -- only the engine may write to these channels, whoever's statement fired
set search_path = ''
as $$
declare
  v_payload jsonb := to_jsonb(new) - 'params';
begin
  if new.result ? 'preview' then
    v_payload := jsonb_set(v_payload, '{result}', new.result - 'preview');
  end if;
  perform realtime.send(v_payload, 'progress', 'job:' || new.id, true);
  if new.org_id is not null then
    perform realtime.send(v_payload, 'progress', 'org:' || new.org_id || ':jobs', true);
  end if;
  return null;
end
$$;

-- The caller's own job, locked. 404 for a job the caller may not even see, such as the system's; 403 for an admin who
-- sees it: nobody acts for another person.
create or replace function jobs_private.lock_own_job(p_job_id uuid, p_verb text) returns jobs.jobs
language plpgsql
set search_path = ''
as $$
declare
  v_job jobs.jobs;
begin
  select * into v_job from jobs.jobs j where j.id = p_job_id for no key update;
  if v_job.owner_id is null
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

-- Whether a job is refreshing this view at this moment. Reads only; for the engine's own functions.
create function jobs_private.is_refreshing(p_view text) returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select from jobs.jobs r where r.kind = 'refresh' and r.state = 'running' and r.params ->> 'view' = p_view
  )
$$;
revoke all on function jobs_private.is_refreshing(text) from public;
comment on function jobs_private.is_refreshing(text) is 'Whether a view is being refreshed now';

-- The queued jobs that free slots allow to start, the most entitled first: organizations, and the system, take turns
-- (fewest running jobs, then the longest wait since the last turn), and within one the oldest job comes first. A refresh
-- of a view that is being refreshed waits. With p_nudged_since, jobs nudged after that moment take a slot and are left
-- out; one whose function did not answer waits twice as long before each further nudge, so that a function that is
-- missing or broken does not keep the slots from others. Reads only.
create or replace function jobs_private.waiting_jobs(
  p_now timestamptz,
  p_kinds text[] default null,
  p_nudged_since timestamptz default null
) returns setof uuid
language sql stable
set search_path = ''
as $$
  with recursive taken as (
    select coalesce(j.org_id, '00000000-0000-0000-0000-000000000000') as tenant, count(*) as slots
    from (
      select r.org_id from jobs.jobs r where r.state = 'running'
      union all
      select q.org_id
      from jobs_private.job_state s join jobs.jobs q on q.id = s.job_id
      where s.nudged_at > p_nudged_since and q.state = 'queued'
    ) j
    group by 1
  ),
  -- One probe of the index for each organization: there may be many jobs in the queue, and few of them come next.
  tenants as (
    (
      select coalesce(j.org_id, '00000000-0000-0000-0000-000000000000') as tenant
      from jobs.jobs j where j.state = 'queued' order by 1 limit 1
    )
    union all
    select (
      select coalesce(j.org_id, '00000000-0000-0000-0000-000000000000')
      from jobs.jobs j
      where j.state = 'queued' and coalesce(j.org_id, '00000000-0000-0000-0000-000000000000') > t.tenant
      order by 1 limit 1
    )
    from tenants t where t.tenant is not null
  )
  select q.id
  from tenants o
  cross join jobs.settings g
  left join taken t on t.tenant = o.tenant
  left join jobs_private.tenants w on w.org_id = o.tenant
  cross join lateral (
    select
      j.id, j.created_at,
      coalesce(t.slots, 0) + row_number() over (order by j.created_at, j.id) as place
    from jobs.jobs j
    join jobs_private.job_state s on s.job_id = j.id
    where coalesce(j.org_id, '00000000-0000-0000-0000-000000000000') = o.tenant
      and j.state = 'queued'
      and s.run_after <= p_now
      and (p_kinds is null or j.kind = any (p_kinds))
      and (
        p_nudged_since is null
        or s.nudged_at is null
        or s.nudged_at
          <= p_nudged_since - (p_now - p_nudged_since) * (2 ^ least(greatest(s.unanswered - 1, 0), 5) - 1)
      )
      and not (j.kind = 'refresh' and jobs_private.is_refreshing(j.params ->> 'view'))
    order by j.created_at, j.id
    limit greatest(0, g.running_per_org - coalesce(t.slots, 0))
  ) q
  order by q.place, w.last_claim_at nulls first, q.created_at, q.id
  limit greatest(0, (select g.running_in_all from jobs.settings g) - (select coalesce(sum(t.slots), 0) from taken t))
$$;
comment on function jobs_private.waiting_jobs(timestamptz, text[], timestamptz) is
  'Queued jobs that may start now, in turn between organizations';

-- Whether limits, waiting times and a refresh of the same view let this one job start now. A job whose function was told
-- within the last nudge_seconds has its slot: who asks unbidden, as the request that made a job does, takes none from it,
-- or a tenant that asks all the time would always be the first at a free slot. Reads only.
create or replace function jobs_private.may_start(p_job_id uuid, p_now timestamptz) returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select
    from jobs.jobs j
    join jobs_private.job_state s on s.job_id = j.id
    cross join jobs.settings g
    cross join lateral (
      select count(*) as in_all, count(*) filter (where t.org_id is not distinct from j.org_id) as of_org
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
      and not (j.kind = 'refresh' and jobs_private.is_refreshing(j.params ->> 'view'))
  )
$$;

-- queued → running, for the given job or the most entitled one of the given kinds; no row when nothing may start now.
-- Claims come one after the other under one advisory lock: the limit in all and the limit of an organization are then
-- exact, and a claim is a matter of a millisecond. Rows that somebody is changing are skipped, not waited for. A new
-- attempt is counted unless the last slice ended by its own will. A job whose owner is gone fails here; a job of the
-- system has none, and no claims. p_worker is the name of the session's application. For the worker's login.
create or replace function jobs_private.claim_job(p_kinds text[], p_worker text, p_job_id uuid default null)
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
    if v_claims is null and v_job.owner_id is not null then
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
    insert into jobs_private.tenants as o (org_id, last_claim_at)
    select v_job.org_id, v_now where v_job.org_id is not null
    on conflict on constraint tenants_pkey do update set last_claim_at = excluded.last_claim_at;

    return query select
      v_state.token, jobs_private.public_job(v_job.id), v_state.cursor, v_state.file, v_claims,
      jobs_private.read_settings();
    return;
  end loop;
end
$$;
