-- How long slices take and how they end was in the logs only, where nothing adds it up. A row for each slice, written by a
-- trigger, since a slice begins and ends in many functions and always with a change of this row.
alter table jobs_private.job_state add column slice_started_at timestamptz;
comment on column jobs_private.job_state.slice_started_at is 'When the slice that has the job began; null while none has it';

create table jobs_private.slices (
  id bigint primary key generated always as identity,
  job_id uuid not null references jobs.jobs (id) on delete cascade,
  outcome text not null,
  duration_ms integer not null,
  ended_at timestamptz not null,
  constraint outcome_is_known
    check (outcome in ('succeeded', 'failed', 'cancelled', 'continued', 'retried', 'lost')),
  constraint duration_is_not_negative check (duration_ms >= 0)
);
create index slices_of_a_job on jobs_private.slices (job_id);
create index slices_by_their_end on jobs_private.slices (ended_at);
alter table jobs_private.slices enable row level security;
revoke all on jobs_private.slices from public;
comment on table jobs_private.slices is 'Every slice that has ended; gone with its job';
comment on column jobs_private.slices.outcome is
  'succeeded, failed, cancelled: and the job with it; continued: by the next slice; retried: after an error; lost: its lease ran out';

-- Notes the beginning of a slice in its row, and its end in a row of its own. Before update on jobs_private.job_state; the
-- job's row has been changed and locked before, by the same function. A cancelled job keeps its token, but its slice has
-- ended for the engine: such an end shows in the date that every ended job's files get.
create function jobs_private.note_slice() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := jobs.now();
  v_state text;
begin
  if old.slice_started_at is not null then
    select j.state into v_state from jobs.jobs j where j.id = old.job_id;
    insert into jobs_private.slices (job_id, outcome, duration_ms, ended_at)
    values (
      old.job_id,
      case
        when v_state in ('succeeded', 'cancelled') then v_state
        when old.lease_expires_at <= v_now then 'lost'
        when v_state = 'failed' then v_state
        when new.released then 'continued'
        else 'retried'
      end,
      greatest(0, least(extract(epoch from v_now - old.slice_started_at) * 1000, 2147483647)),
      v_now
    );
  end if;
  new.slice_started_at := case when new.token is distinct from old.token and new.token is not null then v_now end;
  return new;
end
$$;
revoke all on function jobs_private.note_slice() from public;
comment on function jobs_private.note_slice() is 'Notes when slices begin and how they end';

create trigger job_state_note_slice before update on jobs_private.job_state
for each row when (old.token is distinct from new.token or old.files_until is distinct from new.files_until)
execute function jobs_private.note_slice();
