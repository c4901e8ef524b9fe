-- Two schemas: "jobs" is what clients read and call, "jobs_private" is what makes it work and is never exposed. The
-- engine's time and its limits come from here, so that a test can move the one and an operator can change the others.
create schema jobs;
comment on schema jobs is 'Jobs as clients see them: the jobs, their problems, and the verbs enqueue, cancel and retry';
create schema jobs_private;
comment on schema jobs_private is 'The engine behind the jobs: leases, cursors, limits. Never exposed through the API';

grant usage on schema jobs to authenticated, service_role, longshore_worker;
grant usage on schema jobs_private to longshore_worker;

-- The engine's clock. Changes nothing, locks nothing; the engine's own functions call it. A session can set
-- "longshore.now" to a time of its choice, which no client can do through the API.
create function jobs.now() returns timestamptz
language sql volatile
set search_path = ''
as $$
  select coalesce(nullif(current_setting('longshore.now', true), '')::timestamptz, clock_timestamp())
$$;
revoke all on function jobs.now() from public;
grant execute on function jobs.now() to longshore_worker;
comment on function jobs.now() is 'The engine''s clock: clock_timestamp() unless the session has set longshore.now';

create table jobs.settings (
  only_row boolean primary key default true,
  lease_seconds integer not null default 60,
  heartbeat_seconds integer not null default 20,
  max_attempts integer not null default 5,
  backoff_seconds integer not null default 5,
  backoff_max_seconds integer not null default 300,
  running_in_all integer not null default 8,
  running_per_org integer not null default 2,
  unfinished_per_person integer not null default 100,
  progress_interval_ms integer not null default 500,
  nudge_seconds integer not null default 10,
  slice_cpu_ms integer not null default 1200,
  slice_wall_ms integer not null default 60000,
  first_slice_cpu_ms integer not null default 1100,
  first_slice_wall_ms integer not null default 20000,
  chunk_rows integer not null default 5000,
  one_transaction_rows integer not null default 1000000,
  problems_kept integer not null default 10000,
  csv_bytes bigint not null default 500000000,
  workbook_bytes bigint not null default 100000000,
  multipart_bytes bigint not null default 6000000,
  check_days integer not null default 7,
  file_days integer not null default 7,
  job_days integer not null default 90,
  constraint settings_have_one_row check (only_row),
  constraint settings_are_positive check (
    least(
      lease_seconds, heartbeat_seconds, max_attempts, backoff_seconds, backoff_max_seconds, running_in_all,
      running_per_org, unfinished_per_person, progress_interval_ms, nudge_seconds, slice_cpu_ms, slice_wall_ms,
      first_slice_cpu_ms, first_slice_wall_ms, chunk_rows, one_transaction_rows, problems_kept, csv_bytes,
      workbook_bytes, multipart_bytes, check_days, file_days, job_days
    ) > 0
  ),
  constraint heartbeats_come_twice_a_lease check (2 * heartbeat_seconds <= lease_seconds)
);
insert into jobs.settings default values;

alter table jobs.settings enable row level security;
revoke all on jobs.settings from public, anon, authenticated, service_role;

comment on table jobs.settings is 'Limits of the engine, one row; changed by SQL, effective at once (docs/operations.md)';
comment on column jobs.settings.lease_seconds is 'How long a slice keeps its job without a sign of life';
comment on column jobs.settings.heartbeat_seconds is 'How often a slice renews its lease beside a long statement';
comment on column jobs.settings.max_attempts is 'Attempts of a new job; a slice that ends early costs none';
comment on column jobs.settings.backoff_seconds is 'Wait before the second attempt; doubles with each further one';
comment on column jobs.settings.backoff_max_seconds is 'The longest wait between two attempts';
comment on column jobs.settings.running_in_all is 'Jobs that may run at once in the whole project';
comment on column jobs.settings.running_per_org is 'Jobs that may run at once for one organization';
comment on column jobs.settings.unfinished_per_person is 'Queued and running jobs one person may have';
comment on column jobs.settings.progress_interval_ms is 'Least time between two updates of a job that only tell progress';
comment on column jobs.settings.nudge_seconds is 'How long a nudged job counts as about to start';
comment on column jobs.settings.slice_cpu_ms is 'Own CPU time after which a slice stops and hands on';
comment on column jobs.settings.slice_wall_ms is 'Wall clock after which a slice stops and hands on';
comment on column jobs.settings.first_slice_cpu_ms is 'The same for the slice that shares its isolate with a request';
comment on column jobs.settings.first_slice_wall_ms is 'The same for the slice that shares its isolate with a request';
comment on column jobs.settings.chunk_rows is 'Rows written in one transaction';
comment on column jobs.settings.one_transaction_rows is 'Rows an all-or-nothing commit or an exact check may have';
comment on column jobs.settings.problems_kept is 'Problems of one import kept in the table';
comment on column jobs.settings.csv_bytes is 'The largest CSV';
comment on column jobs.settings.workbook_bytes is 'The largest workbook';
comment on column jobs.settings.multipart_bytes is 'The largest file sent inside the request';
comment on column jobs.settings.check_days is 'Days until a finished check and its staged rows expire';
comment on column jobs.settings.file_days is 'Days until the files of a finished job are deleted';
comment on column jobs.settings.job_days is 'Days until a finished job and its problems are deleted';

-- The settings for a slice or a request. Reads one row, locks nothing; for the worker's login.
create function jobs_private.read_settings() returns jsonb
language sql stable
security definer -- nobody but the engine reads the table
set search_path = ''
as $$
  select to_jsonb(s) - 'only_row' from jobs.settings s
$$;
revoke all on function jobs_private.read_settings() from public;
grant execute on function jobs_private.read_settings() to longshore_worker;
comment on function jobs_private.read_settings() is 'The settings as one JSON object';
