-- A queued job starts when its Edge Function is told to. The database tells it, because the database knows at once
-- when a slot is free, and a function that called itself would die with its isolate. A message may get lost: the tick
-- looks again every ten seconds.
create extension if not exists pg_net;
create extension if not exists supabase_vault;

-- Posts to one of the Edge Functions after COMMIT, without waiting for the answer; false, and nothing else, where
-- Vault does not hold the address and the key. Locks nothing; for the engine's own functions.
create function jobs_private.post(p_function text, p_body jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_url text := (select decrypted_secret from vault.decrypted_secrets where name = 'longshore_functions_url');
  v_key text := (select decrypted_secret from vault.decrypted_secrets where name = 'longshore_secret_key');
begin
  if v_url is null or v_key is null then
    return false;
  end if;
  perform net.http_post(
    url => v_url || '/' || p_function,
    body => p_body,
    headers => jsonb_build_object('Content-Type', 'application/json', 'apikey', v_key),
    timeout_milliseconds => 5000
  );
  return true;
end
$$;
revoke all on function jobs_private.post(text, jsonb) from public;
comment on function jobs_private.post(text, jsonb) is 'Posts to an Edge Function with the secret key from Vault';

-- Tells a job's function to go on with it. Locks the job's state row; skips a job that somebody else is changing at
-- this moment, since that somebody decides what comes next. For the engine's own functions and operators.
create function jobs_private.nudge(p_job_id uuid) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_function text;
begin
  select s.function_name into v_function
  from jobs_private.job_state s where s.job_id = p_job_id
  for no key update skip locked;
  if v_function is null or not jobs_private.post(v_function, jsonb_build_object('job_id', p_job_id)) then
    return false;
  end if;
  update jobs_private.job_state set nudged_at = jobs.now(), unanswered = unanswered + 1 where job_id = p_job_id;
  return true;
end
$$;
revoke all on function jobs_private.nudge(uuid) from public;
comment on function jobs_private.nudge(uuid) is 'Posts {job_id} to the job''s function, as a hint';

-- The queued jobs that free slots allow to start, the most entitled first: organizations take turns (fewest running
-- jobs, then the longest wait since the last turn), and within one the oldest job comes first. With p_nudged_since,
-- jobs nudged after that moment take a slot and are left out; one whose function did not answer waits twice as long
-- before each further nudge, so that a function that is missing or broken does not keep the slots from others. Reads
-- only.
create function jobs_private.waiting_jobs(
  p_now timestamptz,
  p_kinds text[] default null,
  p_nudged_since timestamptz default null
) returns setof uuid
language sql stable
set search_path = ''
as $$
  with recursive taken as (
    select j.org_id, count(*) as slots
    from (
      select r.org_id from jobs.jobs r where r.state = 'running'
      union all
      select q.org_id
      from jobs_private.job_state s join jobs.jobs q on q.id = s.job_id
      where s.nudged_at > p_nudged_since and q.state = 'queued'
    ) j
    group by j.org_id
  ),
  -- One probe of the index for each organization: there may be many jobs in the queue, and few of them come next.
  orgs as (
    (select j.org_id from jobs.jobs j where j.state = 'queued' order by j.org_id limit 1)
    union all
    select (
      select j.org_id from jobs.jobs j where j.state = 'queued' and j.org_id > o.org_id order by j.org_id limit 1
    )
    from orgs o where o.org_id is not null
  )
  select q.id
  from orgs o
  cross join jobs.settings g
  left join taken t on t.org_id = o.org_id
  left join jobs_private.tenants w on w.org_id = o.org_id
  cross join lateral (
    select
      j.id, j.created_at,
      coalesce(t.slots, 0) + row_number() over (order by j.created_at, j.id) as place
    from jobs.jobs j
    join jobs_private.job_state s on s.job_id = j.id
    where j.org_id = o.org_id
      and j.state = 'queued'
      and s.run_after <= p_now
      and (p_kinds is null or j.kind = any (p_kinds))
      and (
        p_nudged_since is null
        or s.nudged_at is null
        or s.nudged_at
          <= p_nudged_since - (p_now - p_nudged_since) * (2 ^ least(greatest(s.unanswered - 1, 0), 5) - 1)
      )
    order by j.created_at, j.id
    limit greatest(0, g.running_per_org - coalesce(t.slots, 0))
  ) q
  order by q.place, w.last_claim_at nulls first, q.created_at, q.id
  limit greatest(0, (select g.running_in_all from jobs.settings g) - (select coalesce(sum(t.slots), 0) from taken t))
$$;
revoke all on function jobs_private.waiting_jobs(timestamptz, text[], timestamptz) from public;
comment on function jobs_private.waiting_jobs(timestamptz, text[], timestamptz) is
  'Queued jobs that may start now, in turn between organizations';

-- Nudges every job that a free slot allows to start, and says how many. A job nudged within the last nudge_seconds
-- counts as about to start. Locks state rows, skipping locked ones; for the engine's own functions.
create function jobs_private.dispatch() returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_since timestamptz := v_now - (select make_interval(secs => s.nudge_seconds) from jobs.settings s);
  v_job_id uuid;
  v_nudged integer := 0;
begin
  for v_job_id in select jobs_private.waiting_jobs(v_now, p_nudged_since => v_since) loop
    if jobs_private.nudge(v_job_id) then
      v_nudged := v_nudged + 1;
    end if;
  end loop;
  return v_nudged;
end
$$;
revoke all on function jobs_private.dispatch() from public;
comment on function jobs_private.dispatch() is 'Nudges the jobs that free slots allow to start';
