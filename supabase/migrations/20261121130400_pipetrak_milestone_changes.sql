-- Progress decides what is paid, so every move of a milestone is kept, whoever made it and by whatever way, and nobody
-- can change what is kept: a trigger refuses even those whom no grant stops.
create table pipetrak.milestone_changes (
  id bigint generated always as identity primary key,
  project_id uuid not null,
  component_id uuid not null,
  milestone text not null,
  old_percent numeric(5, 2) not null,
  new_percent numeric(5, 2) not null,
  old_done_on date,
  new_done_on date,
  changed_by uuid,
  changed_at timestamptz not null default now()
);
comment on table pipetrak.milestone_changes is
  'Audit trail: every move of a milestone, append-only. No foreign keys: it outlives the component and the person';
comment on column pipetrak.milestone_changes.changed_by is 'The person in whose name it was done; null for the back office';
create index changes_of_a_component on pipetrak.milestone_changes (project_id, component_id, id);

-- Writes the trail of one statement. Locks nothing. A definer: nobody may write the trail.
create function pipetrak.record_milestone_changes() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into pipetrak.milestone_changes
    (project_id, component_id, milestone, old_percent, new_percent, old_done_on, new_done_on, changed_by)
  select n.project_id, n.component_id, n.milestone, o.percent_complete, n.percent_complete, o.done_on, n.done_on,
    auth.uid()
  from new_milestones n
  join old_milestones o on o.component_id = n.component_id and o.milestone = n.milestone
  where (o.percent_complete, o.done_on) is distinct from (n.percent_complete, n.done_on);
  return null;
end;
$$;
comment on function pipetrak.record_milestone_changes is 'Trigger: moves of milestones go to the audit trail';
revoke all on function pipetrak.record_milestone_changes from public;

create trigger component_milestones_record_changes after update on pipetrak.component_milestones
  referencing old table as old_milestones new table as new_milestones
  for each statement execute function pipetrak.record_milestone_changes();

-- Refuses to change or remove what the trail says.
create function pipetrak.refuse_change_of_the_trail() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception 'Cannot % the audit trail of milestones: expected new rows only', lower(tg_op)
    using errcode = 'restrict_violation', schema = 'pipetrak', table = 'milestone_changes',
      constraint = 'milestone_changes_are_append_only';
end;
$$;
comment on function pipetrak.refuse_change_of_the_trail is 'Trigger: the audit trail is append-only';
revoke all on function pipetrak.refuse_change_of_the_trail from public;

create trigger milestone_changes_are_append_only before update or delete or truncate on pipetrak.milestone_changes
  for each statement execute function pipetrak.refuse_change_of_the_trail();

alter table pipetrak.milestone_changes enable row level security;

create policy changes_are_read_by_the_project on pipetrak.milestone_changes
  for select to authenticated using (project_id in (select pipetrak.readable_projects()));
comment on policy changes_are_read_by_the_project on pipetrak.milestone_changes is 'Everybody who reads the project';

grant select on pipetrak.milestone_changes to authenticated, service_role;
