-- A person asks for a refresh in the name of an organization that the view concerns; the clock and the back office ask in
-- the name of the system. Each request of a person is a job of its own, with its own answer. The system's requests mean
-- nobody in particular: one of them waiting is enough.

-- The organization for which the caller may refresh a view: the oldest, where there are several. unknown_view,
-- not_allowed. Reads only; for signed-in people.
create function jobs.authorize_refresh(p_view text) returns uuid
language plpgsql stable
security definer -- the registry is the engine's
set search_path = ''
as $$
declare
  v_org_id uuid;
begin
  perform jobs_private.require_view(p_view);
  v_org_id := (
    select o.id from public.organizations o
    where o.id in (select jobs_private.refresh_orgs(p_view))
    order by o.created_at, o.id
    limit 1
  );
  if v_org_id is null then
    perform longshore_private.raise_error(403, 'not_allowed', format(
      'Cannot refresh the view "%s": expected an owner or admin of an organization whose data it shows', p_view));
  end if;
  return v_org_id;
end
$$;
revoke all on function jobs.authorize_refresh(text) from public;
grant execute on function jobs.authorize_refresh(text) to authenticated;
comment on function jobs.authorize_refresh(text) is 'The organization for which the caller may refresh a view, or refuses';

-- Raises unknown_view unless the view can be refreshed. Reads only; for the engine's own functions.
create function jobs_private.require_view(p_view text) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_views text[] := array(select s.view from jobs_private.view_sources s order by s.view);
begin
  if p_view is null or p_view <> all (v_views) then
    perform longshore_private.raise_error(404, 'unknown_view',
      format('Cannot refresh the view "%s": found none of this name, expected one of %s', left(p_view, 200),
        (select string_agg(format('"%s"', v), ', ') from unnest(v_views) v)),
      jsonb_build_object('views', v_views));
  end if;
end
$$;
revoke all on function jobs_private.require_view(text) from public;
comment on function jobs_private.require_view(text) is 'Raises unknown_view unless a view can be refreshed';

-- Asks for a refresh in the name of the system and returns {job, replayed}: the job of the system that waits already,
-- else a new one. A refresh that is under way does not count, since it may have missed what was written last. Locks the
-- system's requests for this view (advisory). For the service and pg_cron.
create function jobs.request_refresh(p_view text) returns jsonb
language plpgsql
security definer -- nobody but the engine writes jobs
set search_path = ''
as $$
declare
  v_job_id uuid;
begin
  perform jobs_private.require_view(p_view);
  perform pg_advisory_xact_lock(hashtextextended('jobs.request_refresh:' || p_view, 0));
  v_job_id := (
    select j.id from jobs.jobs j
    where j.kind = 'refresh' and j.state = 'queued' and j.params ->> 'view' = p_view and j.owner_id is null
    limit 1
  );
  if v_job_id is not null then
    return jsonb_build_object('job', jobs_private.public_job(v_job_id), 'replayed', true);
  end if;
  insert into jobs.jobs (kind, org_id, owner_id, params, max_attempts)
  select 'refresh', null, null, jsonb_build_object('view', p_view), s.max_attempts from jobs.settings s
  returning id into v_job_id;
  insert into jobs_private.job_state (job_id, function_name, owner_id)
  select v_job_id, k.function_name, null from jobs_private.kinds k where k.kind = 'refresh';
  return jsonb_build_object('job', jobs_private.public_job(v_job_id), 'replayed', false);
end
$$;
revoke all on function jobs.request_refresh(text) from public;
grant execute on function jobs.request_refresh(text) to service_role;
comment on function jobs.request_refresh(text) is 'Asks for a refresh in the name of the system';

-- The same from the clock: nobody answers a request here, so the function is told. Locks what its parts lock; run by
-- pg_cron as postgres.
create function jobs_private.refresh_on_schedule(p_view text) returns uuid
language plpgsql
set search_path = ''
as $$
declare
  v_answer jsonb := jobs.request_refresh(p_view);
begin
  perform jobs_private.dispatch();
  return v_answer #>> '{job,id}';
end
$$;
revoke all on function jobs_private.refresh_on_schedule(text) from public;
comment on function jobs_private.refresh_on_schedule(text) is 'What the clock calls: asks for a refresh and dispatches';
