-- Rows wait in staging between the file and the table: read once, checked in chunks, committed later without the
-- file. Each import has tables of its own, so that they are emptied by TRUNCATE and no other import's rows are in
-- the way. The tables are a pool that grows and is used again: making new ones for every job would send PostgREST
-- a schema reload each time. They are logged, since an unlogged table is empty after a crash.

create schema jobs_staging;
comment on schema jobs_staging is
  'Staged rows of imports. Not exposed through the API: a slice writes them, their owner reads them through views.';
grant usage on schema jobs_staging to authenticated, longshore_worker;

create table jobs_private.staging_slots (
  slot integer generated always as identity,
  job_id uuid,
  owner_id uuid,
  constraint staging_slots_pkey primary key (slot),
  constraint staging_slots_job_id_key unique (job_id),
  constraint staging_slots_job_id_fkey foreign key (job_id) references jobs.jobs (id) on delete set null
);
comment on table jobs_private.staging_slots is
  'The pool of staging tables. Slot n is rows_n, problems_n and duplicates_n; job_id is the check whose rows they hold.';
alter table jobs_private.staging_slots enable row level security;

create table jobs_private.imports (
  job_id uuid not null,
  slot integer not null,
  plan jsonb not null,
  statements jsonb not null,
  fingerprint text not null,
  suggestions jsonb not null default '{}',
  constraint imports_pkey primary key (job_id),
  constraint imports_slot_key unique (slot),
  constraint imports_job_id_fkey foreign key (job_id) references jobs.jobs (id) on delete cascade,
  constraint imports_slot_fkey foreign key (slot) references jobs_private.staging_slots (slot)
);
comment on table jobs_private.imports is
  'What an import was checked with: its plan (dataset, scope, mapping), the statements made of the plan, and the definition of the target at that moment.';
comment on column jobs_private.imports.fingerprint is 'Hash of the target''s columns, constraints, policies and triggers; a commit refuses when it has changed.';
comment on column jobs_private.imports.suggestions is 'By place of a column: a value that was not found → the nearest that exists.';
alter table jobs_private.imports enable row level security;

create type jobs_private.row_problem as (
  row_number integer,
  column_index smallint,
  code text,
  message text,
  value text
);
comment on type jobs_private.row_problem is
  'One problem of one staged row; column_index is the place among the plan''s columns, from 1, or null for the whole row.';

-- Makes the tables and views of one slot. Only take_slot() calls it, with the slot's row just inserted, so no two
-- transactions make the same.
create function jobs_private.create_staging(p_slot integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_cells text := (select string_agg(format('c%s text', n), ', ' order by n) from generate_series(1, 64) n);
  v_owned text := format(
    '(select owner_id from jobs_private.staging_slots where slot = %s) = (select auth.uid())', p_slot);
begin
  execute format(
    'create table jobs_staging.rows_%1$s (
       row_number integer not null,
       line integer,
       raw text,
       %2$s,
       constraint rows_%1$s_pkey primary key (row_number)
     )', p_slot, v_cells);
  execute format(
    'create table jobs_staging.problems_%1$s (
       row_number integer not null,
       column_index smallint,
       code text not null,
       message text not null,
       value text,
       phase smallint not null
     )', p_slot);
  execute format('create index problems_%1$s_row_number_idx on jobs_staging.problems_%1$s (row_number)', p_slot);
  execute format(
    'create table jobs_staging.duplicates_%1$s (
       row_number integer not null,
       group_number integer not null,
       constraint duplicates_%1$s_pkey primary key (row_number)
     )', p_slot);
  execute format(
    'create index duplicates_%1$s_group_number_idx on jobs_staging.duplicates_%1$s (group_number, row_number)', p_slot);

  execute format('create view jobs_staging.own_rows_%1$s as select * from jobs_staging.rows_%1$s where %2$s', p_slot, v_owned);
  execute format(
    'create view jobs_staging.own_problems_%1$s as select * from jobs_staging.problems_%1$s where %2$s', p_slot, v_owned);

  execute format('comment on table jobs_staging.rows_%1$s is %2$L', p_slot,
    'Rows of one import, canonical text by the plan''s columns (c1 is the first), or the text as it stood where it is no value; raw is the record as it stood in the file, where that says more.');
  execute format('comment on table jobs_staging.problems_%1$s is %2$L', p_slot,
    'Every problem of one import. Phase 1 was found by reading, 2 by checking, 3 by committing.');
  execute format('comment on table jobs_staging.duplicates_%1$s is %2$L', p_slot,
    'Rows whose key stands more than once in the file, by group of equal keys.');

  -- COPY is refused on tables with row security, so the worker gets plain INSERT and nobody else gets anything.
  execute format('grant insert on jobs_staging.rows_%1$s, jobs_staging.problems_%1$s to longshore_worker', p_slot);
  execute format('grant select on jobs_staging.own_rows_%1$s, jobs_staging.own_problems_%1$s to authenticated', p_slot);
end;
$$;
comment on function jobs_private.create_staging is 'Makes the staging tables and views of one slot.';
revoke all on function jobs_private.create_staging from public;

-- Removes all rows of a slot. TRUNCATE waits for whoever is still at work on these tables, such as a slice that lost its
-- lease in the middle of a COPY: its rows cannot come behind. For take_slot() and drop_staging().
create function jobs_private.empty_slot(p_slot integer)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format(
    'truncate jobs_staging.rows_%1$s, jobs_staging.problems_%1$s, jobs_staging.duplicates_%1$s', p_slot);
end;
$$;
comment on function jobs_private.empty_slot is 'Empties the staging tables of one slot.';
revoke all on function jobs_private.empty_slot from public;

-- Gives a check its slot: the one it has, else a free one, else a new one. Locks the slot's row, then what empty_slot()
-- locks. For prepare_import(), which holds the lease.
create function jobs_private.take_slot(p_job_id uuid, p_owner_id uuid)
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_slot integer;
begin
  select slot into v_slot from jobs_private.staging_slots where job_id = p_job_id;
  if found then
    return v_slot;
  end if;
  update jobs_private.staging_slots
  set job_id = p_job_id, owner_id = p_owner_id
  where slot = (
    select slot from jobs_private.staging_slots where job_id is null order by slot limit 1 for update skip locked
  )
  returning slot into v_slot;
  if found then
    -- Empty already, unless the last job of this slot was deleted with its organization.
    perform jobs_private.empty_slot(v_slot);
  else
    insert into jobs_private.staging_slots (job_id, owner_id) values (p_job_id, p_owner_id) returning slot into v_slot;
    perform jobs_private.create_staging(v_slot);
  end if;
  return v_slot;
end;
$$;
comment on function jobs_private.take_slot is 'Gives a check its slot of staging tables.';
revoke all on function jobs_private.take_slot from public;

-- Empties the staging of a check and gives its slot back; does nothing where there is none. Null stands for the checks
-- that were deleted with their organization, whose rows must not outlive it. The locks of TRUNCATE are on the check's
-- own tables, which nobody else reads.
create or replace function jobs_private.drop_staging(p_job_id uuid)
returns void
language plpgsql
security definer -- empties tables of which the worker may only insert into
set search_path = ''
as $$
declare
  v_slot integer;
begin
  for v_slot in
    select slot from jobs_private.staging_slots
    where job_id = p_job_id or p_job_id is null and job_id is null and owner_id is not null
    for update
  loop
    perform jobs_private.empty_slot(v_slot);
    delete from jobs_private.imports where slot = v_slot;
    update jobs_private.staging_slots set job_id = null, owner_id = null where slot = v_slot;
  end loop;
end;
$$;
comment on function jobs_private.drop_staging is 'Empties the staging of a check and frees its slot.';
revoke all on function jobs_private.drop_staging from public;
grant execute on function jobs_private.drop_staging to longshore_worker;
