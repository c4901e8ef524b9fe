-- A large export outlives its isolate, a snapshot does not outlive its transaction: what is left of the rows when the
-- first slice ends is kept here, rendered, and committed with the slice's checkpoint. Later slices write the file from
-- it. It goes when the job ends, however it ends.

alter table jobs.settings
  add column export_bytes bigint not null default 500000000,
  add constraint export_bytes_are_positive check (export_bytes > 0);
comment on column jobs.settings.export_bytes is 'The largest file of an export, and the largest problems.csv';

create table jobs_private.export_pieces (
  job_id uuid not null,
  place integer not null,
  row_count integer not null,
  content text not null,
  constraint export_pieces_pkey primary key (job_id, place),
  constraint export_pieces_job_id_fkey foreign key (job_id) references jobs.jobs (id) on delete cascade
)
-- Pieces come and go by the hundred megabyte.
with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 100, toast.autovacuum_vacuum_scale_factor = 0.02);
comment on table jobs_private.export_pieces is 'Rendered rows of exports that one slice could not write, in the order of the file';
comment on column jobs_private.export_pieces.content is 'A block as jobs_private.fetch_export() makes it';
-- Compressing would cost more than writing.
alter table jobs_private.export_pieces alter column content set storage external;
alter table jobs_private.export_pieces enable row level security;

create table jobs_private.export_tails (
  job_id uuid not null,
  content text not null,
  constraint export_tails_pkey primary key (job_id),
  constraint export_tails_job_id_fkey foreign key (job_id) references jobs.jobs (id) on delete cascade
);
comment on table jobs_private.export_tails is 'The last bytes of a file, which are too few for a part of an upload, between two slices';
comment on column jobs_private.export_tails.content is 'Base64: the floor''s runtime takes a second and a half for six megabytes of a bytea''s hexadecimal digits';
alter table jobs_private.export_tails alter column content set storage external;
alter table jobs_private.export_tails enable row level security;

revoke all on jobs_private.export_pieces, jobs_private.export_tails from public;

-- Keeps one piece. Writes a row; for the worker's login, with the lease.
create function jobs_private.keep_export_piece(
  p_job_id uuid, p_token bigint, p_place integer, p_row_count integer, p_content text
)
returns void
language plpgsql
security definer -- nobody but the engine writes its tables
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  insert into jobs_private.export_pieces (job_id, place, row_count, content)
  values (p_job_id, p_place, p_row_count, p_content);
end;
$$;
comment on function jobs_private.keep_export_piece is 'Keeps one piece of an export between two slices';
revoke all on function jobs_private.keep_export_piece from public;
grant execute on function jobs_private.keep_export_piece to longshore_worker;

-- Keeps the rows that are left of this transaction's export, from piece p_place on: p_count rows in the first piece, then
-- about p_bytes a piece; for p_ms at most, so that the worker notices between two calls that the job was cancelled. Says
-- how many rows the next piece should have. Writes pieces; for the worker's login, with the lease, behind open_export().
create function jobs_private.stage_export(
  p_job_id uuid, p_token bigint, p_format text, p_place integer, p_count integer, p_bytes integer,
  p_ms integer,
  out piece_count integer, out row_count bigint, out byte_count bigint, out next_count integer, out ended boolean
)
language plpgsql
set search_path = ''
as $$
declare
  v_until timestamptz := clock_timestamp() + make_interval(secs => p_ms / 1000.0);
  v_block record;
begin
  piece_count := 0;
  row_count := 0;
  byte_count := 0;
  next_count := p_count;
  loop
    select * into v_block from jobs_private.fetch_export(p_format, next_count);
    ended := v_block.row_count = 0;
    if v_block.row_count > 0 then
      perform jobs_private.keep_export_piece(
        p_job_id, p_token, p_place + piece_count, v_block.row_count, v_block.content);
      piece_count := piece_count + 1;
      row_count := row_count + v_block.row_count;
      byte_count := byte_count + octet_length(v_block.content);
      next_count := greatest(1, least(
        v_block.row_count::bigint * p_bytes / octet_length(v_block.content), next_count * 8, 20000));
    end if;
    exit when ended or clock_timestamp() >= v_until;
  end loop;
end;
$$;
comment on function jobs_private.stage_export is 'Keeps the rows that are left of an export';
revoke all on function jobs_private.stage_export from public;
grant execute on function jobs_private.stage_export to longshore_worker;

-- One piece of the job's export; no row where there is none. Reads one row; for the worker's login, with the lease.
create function jobs_private.export_piece(p_job_id uuid, p_token bigint, p_place integer)
returns table (content text, row_count integer)
language plpgsql stable
security definer -- nobody but the engine reads its tables
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  return query
    select p.content, p.row_count from jobs_private.export_pieces p where p.job_id = p_job_id and p.place = p_place;
end;
$$;
comment on function jobs_private.export_piece is 'One piece of an export';
revoke all on function jobs_private.export_piece from public;
grant execute on function jobs_private.export_piece to longshore_worker;

-- Keeps the bytes that the next slice begins with, in place of any before. Writes one row; for the worker's login, with
-- the lease, in the transaction of the checkpoint.
create function jobs_private.keep_export_tail(p_job_id uuid, p_token bigint, p_content text) returns void
language plpgsql
security definer -- nobody but the engine writes its tables
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  insert into jobs_private.export_tails (job_id, content) values (p_job_id, p_content)
  on conflict (job_id) do update set content = excluded.content;
end;
$$;
comment on function jobs_private.keep_export_tail is 'Keeps the last bytes of a file between two slices';
revoke all on function jobs_private.keep_export_tail from public;
grant execute on function jobs_private.keep_export_tail to longshore_worker;

-- Those bytes. Reads one row; for the worker's login, with the lease.
create function jobs_private.export_tail(p_job_id uuid, p_token bigint) returns text
language plpgsql stable
security definer -- nobody but the engine reads its tables
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  return (select t.content from jobs_private.export_tails t where t.job_id = p_job_id);
end;
$$;
comment on function jobs_private.export_tail is 'The last bytes of a file that another slice goes on with';
revoke all on function jobs_private.export_tail from public;
grant execute on function jobs_private.export_tail to longshore_worker;

-- Throws away what slices of this job have kept, for one that starts over. For the worker's login, with the lease.
create function jobs_private.forget_export(p_job_id uuid, p_token bigint) returns void
language plpgsql
security definer -- nobody but the engine writes its tables
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  delete from jobs_private.export_pieces where job_id = p_job_id;
  delete from jobs_private.export_tails where job_id = p_job_id;
end;
$$;
comment on function jobs_private.forget_export is 'Throws away what an export has kept between slices';
revoke all on function jobs_private.forget_export from public;
grant execute on function jobs_private.forget_export to longshore_worker;

-- However an export ends, what it kept goes; one that is tried again starts over, with the rows of then. A file that
-- came into being as its job was cancelled or failed is no result: the next tick deletes it. Called with the job's rows
-- locked, locks the rows it removes.
create function jobs_private.end_export() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_job jobs.jobs;
begin
  select * into v_job from jobs.jobs j where j.id = new.job_id;
  if v_job.kind <> 'export' then
    return new;
  end if;
  delete from jobs_private.export_pieces where job_id = new.job_id;
  delete from jobs_private.export_tails where job_id = new.job_id;
  new.cursor := null;
  if v_job.state in ('cancelled', 'failed') then
    new.files_until := jobs.now();
  end if;
  return new;
end;
$$;
comment on function jobs_private.end_export is 'Trigger: an export that has ended leaves nothing but its file';
revoke all on function jobs_private.end_export from public;

create trigger job_state_ends_exports before update of files_until on jobs_private.job_state
  for each row when (old.files_until is null and new.files_until is not null)
  execute function jobs_private.end_export();
