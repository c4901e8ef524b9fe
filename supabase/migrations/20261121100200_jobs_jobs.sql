-- A job has two rows: the public one, which people read and clients follow, and the engine's, which changes with every
-- chunk and holds what nobody else may see (lease, cursor, pinned file). Apart from that they are one thing: whoever
-- changes both locks the public row first.
create table jobs_private.kinds (
  kind text primary key,
  function_name text not null
);
comment on table jobs_private.kinds is 'What kinds of jobs there are, and the Edge Function that runs each';
insert into jobs_private.kinds (kind, function_name)
values ('import_check', 'import'), ('import_commit', 'import-commit'), ('export', 'export'), ('refresh', 'refresh-metrics');

create table jobs.jobs (
  id uuid primary key default gen_random_uuid(),
  kind text not null references jobs_private.kinds (kind),
  state text not null default 'queued',
  org_id uuid not null references public.organizations (id) on delete cascade,
  owner_id uuid not null,
  parent_id uuid references jobs.jobs (id) on delete set null,
  params jsonb not null default '{}',
  progress jsonb not null
    default '{"phase": "queued", "done": 0, "total": null, "unit": "rows", "percent": null, "rows_per_second": 0, "eta_seconds": null}',
  result jsonb,
  error jsonb,
  attempt integer not null default 0,
  max_attempts integer not null default 5,
  version bigint not null default 1,
  created_at timestamptz not null default jobs.now(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default jobs.now(),
  constraint state_is_known check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  constraint finished_jobs_have_finished_at
    check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)),
  constraint failed_jobs_have_an_error check ((state = 'failed') = (error is not null)),
  constraint succeeded_jobs_have_a_result check (state <> 'succeeded' or result is not null),
  constraint attempts_are_within_bounds check (attempt between 0 and max_attempts),
  constraint errors_have_code_and_message
    check (jsonb_typeof(error -> 'code') = 'string' and jsonb_typeof(error -> 'message') = 'string'),
  constraint params_are_an_object check (jsonb_typeof(params) = 'object'),
  constraint progress_is_an_object check (jsonb_typeof(progress) = 'object')
)
-- Rewritten twice a second while running: room for updates in place, and vacuum after few of them.
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

create index jobs_queued on jobs.jobs (org_id, created_at) where state = 'queued';
create index jobs_running on jobs.jobs (org_id) where state = 'running';
create index jobs_unfinished_of_owner on jobs.jobs (owner_id) where state in ('queued', 'running');
create unique index jobs_one_commit_a_check on jobs.jobs (parent_id) where kind = 'import_commit';
create index jobs_of_parent on jobs.jobs (parent_id) where parent_id is not null;
create index jobs_of_owner on jobs.jobs (owner_id, created_at desc);
create index jobs_of_org on jobs.jobs (org_id, created_at desc);
create index jobs_finished on jobs.jobs (finished_at) where finished_at is not null;

comment on table jobs.jobs is 'Jobs as people see them: the truth about state, progress, result and error. Written by the engine only';
comment on column jobs.jobs.owner_id is 'Who asked, and as whom the job writes; no foreign key, the history outlives the account';
comment on column jobs.jobs.parent_id is 'The check that a commit belongs to';
comment on column jobs.jobs.params is 'What was asked for, as the function has validated it';
comment on column jobs.jobs.progress is '{phase, done, total, unit, percent, rows_per_second, eta_seconds}';
comment on column jobs.jobs.result is 'What came out, by kind; null until then';
comment on column jobs.jobs.error is '{code, message, details} of the last failure';
comment on column jobs.jobs.attempt is 'Attempts begun; a slice that ended early and went on is the same attempt';
comment on column jobs.jobs.version is 'Grows by one with every update that is sent to the channels';

alter table jobs.jobs enable row level security;
revoke all on jobs.jobs from public, anon, authenticated, service_role;
grant select on jobs.jobs to authenticated, service_role;

-- Arrays, since only those are looked up in the indexes: a list without a filter must not read every tenant's jobs.
create policy jobs_are_read_by_owners_and_admins on jobs.jobs for select to authenticated
using (
  (owner_id = (select auth.uid()) and org_id = any (array(select public.member_orgs())))
  or org_id = any (array(select public.admin_orgs()))
);
comment on policy jobs_are_read_by_owners_and_admins on jobs.jobs is
  'One''s own jobs while one belongs to the organization, and every job of an organization one administers';

create table jobs_private.job_state (
  job_id uuid primary key references jobs.jobs (id) on delete cascade,
  function_name text not null,
  owner_id uuid not null,
  owner_aal text,
  idempotency_key text,
  request_hash text,
  file jsonb,
  cursor jsonb,
  progress jsonb,
  progress_at timestamptz,
  run_after timestamptz not null default jobs.now(),
  nudged_at timestamptz,
  unanswered integer not null default 0,
  token bigint,
  lease_expires_at timestamptz,
  released boolean not null default false,
  saved boolean not null default false,
  cut_offs integer not null default 0,
  slices integer not null default 0,
  worker text,
  backend_pid integer,
  backend_start timestamptz,
  last_error jsonb,
  staging_until timestamptz,
  files_until timestamptz,
  constraint idempotency_keys_are_unique unique (owner_id, function_name, idempotency_key),
  constraint leases_expire check ((token is null) = (lease_expires_at is null))
)
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

create index job_state_staging on jobs_private.job_state (staging_until) where staging_until is not null;
create index job_state_nudged on jobs_private.job_state (nudged_at) where nudged_at is not null;
create index job_state_files on jobs_private.job_state (files_until) where files_until is not null;

comment on table jobs_private.job_state is 'The engine''s side of a job: request, lease, cursor and what is to be cleaned up';
comment on column jobs_private.job_state.owner_aal is 'Assurance level of the session that asked; policies may ask for it';
comment on column jobs_private.job_state.request_hash is 'Tells the same request under one idempotency key from another';
comment on column jobs_private.job_state.file is 'The pinned input: {bucket, path, id, version, etag, size}';
comment on column jobs_private.job_state.cursor is 'Where the next slice goes on; written in the transaction of the rows it counts';
comment on column jobs_private.job_state.progress is 'The latest progress; the public row gets it at most twice a second';
comment on column jobs_private.job_state.run_after is 'Not to be claimed earlier';
comment on column jobs_private.job_state.nudged_at is 'When its function was last told, and has not claimed it since';
comment on column jobs_private.job_state.unanswered is 'Nudges since its function last answered: it is nudged less and less often';
comment on column jobs_private.job_state.token is 'The lease: what every write of a slice must show; null while nobody holds the job';
comment on column jobs_private.job_state.released is 'The last slice ended early by its own will: the next one is the same attempt';
comment on column jobs_private.job_state.saved is 'The slice at work has saved a cursor: the next one has less before it';
comment on column jobs_private.job_state.cut_offs is 'Slices in a row whose isolate ended before they had saved anything';
comment on column jobs_private.job_state.backend_pid is 'The holder''s session, to be ended when another takes over';
comment on column jobs_private.job_state.last_error is 'Why the last attempt failed, while there are more to come';
comment on column jobs_private.job_state.staging_until is 'When staged rows are dropped; null when there are none left';
comment on column jobs_private.job_state.files_until is 'When the job''s files are deleted; null when there are none left';

create sequence jobs_private.tokens;
comment on sequence jobs_private.tokens is 'Lease tokens: each is handed out once, whatever becomes of the attempt';

create table jobs_private.tenants (
  org_id uuid primary key references public.organizations (id) on delete cascade,
  last_claim_at timestamptz not null
);
comment on table jobs_private.tenants is 'When each organization last got a slot: the one that waited longest comes next';

revoke all on jobs_private.kinds, jobs_private.job_state, jobs_private.tenants from public;
revoke all on sequence jobs_private.tokens from public;
alter table jobs_private.kinds enable row level security;
alter table jobs_private.job_state enable row level security;
alter table jobs_private.tenants enable row level security;
