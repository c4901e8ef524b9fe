-- A materialized view shows its numbers as of some moment, and its readers must be able to see which. What may be
-- refreshed is written down here, by migrations only: a name from outside is looked up, never executed.
alter table jobs.settings
  add column refresh_seconds integer not null default 120,
  add constraint refreshes_have_time check (refresh_seconds > 0);
comment on column jobs.settings.refresh_seconds is
  'Seconds that the refresh of a view may take; below the wall clock of an isolate';

create table jobs.refreshable_views (
  view text primary key,
  refreshed_at timestamptz,
  duration_ms integer,
  failed_at timestamptz,
  error jsonb,
  constraint view_is_a_qualified_name check (view ~ '^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$'),
  constraint refreshed_views_have_a_duration check ((refreshed_at is null) = (duration_ms is null)),
  constraint failed_views_have_an_error check ((failed_at is null) = (error is null)),
  constraint errors_have_code_and_message
    check (jsonb_typeof(error -> 'code') = 'string' and jsonb_typeof(error -> 'message') = 'string')
);
comment on table jobs.refreshable_views is
  'Materialized views that refresh-metrics refreshes, and as of when their numbers are. Written by the engine only';
comment on column jobs.refreshable_views.view is 'What POST refresh-metrics calls it';
comment on column jobs.refreshable_views.refreshed_at is
  'The moment whose data the view shows: when its last successful refresh began; null before the first';
comment on column jobs.refreshable_views.duration_ms is 'How long that refresh took';
comment on column jobs.refreshable_views.failed_at is 'When the last refresh failed; null once one has succeeded again';
comment on column jobs.refreshable_views.error is '{code, message, details} of that failure';

create table jobs_private.view_sources (
  view text primary key references jobs.refreshable_views (view) on delete cascade,
  relation text not null,
  authorize_with text not null
);
comment on table jobs_private.view_sources is 'What stands behind a refreshable view; rows come from migrations';
comment on column jobs_private.view_sources.relation is
  'The materialized view, qualified; owned by a role that sees every row of its tables, with a unique index on columns';
comment on column jobs_private.view_sources.authorize_with is
  'A function without parameters, qualified, that returns the organizations for which the caller may refresh the view';

create table jobs.refreshes (
  id bigint primary key generated always as identity,
  view text not null references jobs.refreshable_views (view) on delete cascade,
  job_id uuid references jobs.jobs (id) on delete set null,
  state text not null default 'running',
  concurrent boolean,
  jobs_served integer not null default 0,
  error jsonb,
  started_at timestamptz not null default jobs.now(),
  finished_at timestamptz,
  duration_ms integer,
  constraint state_is_known check (state in ('running', 'succeeded', 'failed')),
  constraint finished_refreshes_have_finished_at check ((state = 'running') = (finished_at is null)),
  constraint finished_refreshes_have_a_duration check ((state = 'running') = (duration_ms is null)),
  constraint failed_refreshes_have_an_error check ((state = 'failed') = (error is not null))
);
create index refreshes_of_a_view on jobs.refreshes (view, started_at desc);
create index refreshes_of_a_job on jobs.refreshes (job_id) where job_id is not null;
create unique index refreshes_run_once_a_view on jobs.refreshes (view) where state = 'running';
comment on table jobs.refreshes is 'Every run of a refresh with its duration, the failed ones too; kept as long as jobs';
comment on column jobs.refreshes.job_id is 'The job that ran it';
comment on column jobs.refreshes.concurrent is 'Whether readers went on reading; false for the first refresh of an empty view';
comment on column jobs.refreshes.jobs_served is 'Jobs that had waited for it and ended with it, beside its own';

-- The organizations for which the caller may refresh a view; none for a view that is not known. A definer: the registry
-- is the engine's. Reads only; for the engine's own functions.
create function jobs_private.refresh_orgs(p_view text) returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_function regprocedure := (
    select to_regprocedure(s.authorize_with || '()') from jobs_private.view_sources s where s.view = p_view
  );
begin
  if v_function is not null then
    return query execute format('select o from %s o', v_function);
  end if;
end
$$;
revoke all on function jobs_private.refresh_orgs(text) from public;
comment on function jobs_private.refresh_orgs(text) is 'Organizations for which the caller may refresh a view';

-- The views that the caller may refresh. Takes nothing from a row, so that the policy asks once a statement. Reads only;
-- for signed-in people.
create function jobs_private.views_of_caller() returns setof text
language plpgsql stable
security definer -- the registry is the engine's
set search_path = ''
as $$
begin
  return query
  select s.view from jobs_private.view_sources s where exists (select from jobs_private.refresh_orgs(s.view));
end
$$;
revoke all on function jobs_private.views_of_caller() from public;
grant execute on function jobs_private.views_of_caller() to authenticated;
comment on function jobs_private.views_of_caller() is 'Views that the caller may refresh';

alter table jobs.refreshable_views enable row level security;
alter table jobs_private.view_sources enable row level security;
alter table jobs.refreshes enable row level security;
revoke all on jobs.refreshable_views, jobs.refreshes from public, anon, authenticated, service_role;
revoke all on jobs_private.view_sources from public;
grant select on jobs.refreshable_views, jobs.refreshes to authenticated, service_role;

create policy refreshable_views_are_read_by_everybody on jobs.refreshable_views for select to authenticated using (true);
comment on policy refreshable_views_are_read_by_everybody on jobs.refreshable_views is
  'Whoever is signed in: as of when numbers are tells nothing about them';

create policy refreshes_are_read_by_those_who_may_refresh on jobs.refreshes for select to authenticated
using (view = any (array(select jobs_private.views_of_caller())));
comment on policy refreshes_are_read_by_those_who_may_refresh on jobs.refreshes is
  'Owners and admins of the organizations that the view concerns';
