-- A component's progress is the weighted progress of its milestones. They are made from the type's template by the
-- database, for every way a component may come in, and set-based, since an import brings 5,000 components in a statement
-- and a spool has six milestones. Only their percentage is ever written from outside.
create table pipetrak.component_milestones (
  component_id uuid not null,
  project_id uuid not null,
  milestone text not null,
  place smallint not null,
  weight numeric(5, 2) not null,
  percent_complete numeric(5, 2) not null default 0,
  done_on date,
  version integer not null default 1,
  updated_at timestamptz,
  updated_by uuid,
  primary key (component_id, milestone),
  constraint milestone_percent_is_a_percentage check (percent_complete between 0 and 100)
) with (fillfactor = 90);
comment on table pipetrak.component_milestones is
  'Milestones of each component. No foreign key to it: rows come and go by the component''s triggers alone, and checking 1,200,000 of them doubled the time to insert 200,000 spools';
comment on column pipetrak.component_milestones.project_id is 'The component''s project, repeated for the policies';
comment on column pipetrak.component_milestones.weight is
  'Copied from the template, so that a later template does not move finished work';
comment on column pipetrak.component_milestones.done_on is 'The day of the work as reported, which may be before the update';
comment on column pipetrak.component_milestones.version is 'Grows with every change, for optimistic concurrency';
comment on column pipetrak.component_milestones.updated_at is 'When it was last moved; null until then';
create index milestones_of_a_project on pipetrak.component_milestones (project_id);

-- Makes the milestones of inserted components, in the order of their key: that fills the index side by side and takes a
-- quarter less time. Locks only the rows it makes. A definer: nobody may insert milestones.
create function pipetrak.make_milestones() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into pipetrak.component_milestones (component_id, project_id, milestone, place, weight)
  select c.id, c.project_id, t.milestone, t.place, t.weight
  from new_components c
  join pipetrak.milestone_templates t on t.component_type = c.component_type
  order by c.id, t.milestone;
  return null;
end;
$$;
comment on function pipetrak.make_milestones is 'Trigger: inserted components get the milestones of their type';
revoke all on function pipetrak.make_milestones from public;

create trigger components_make_milestones after insert on pipetrak.components
  referencing new table as new_components
  for each statement execute function pipetrak.make_milestones();

-- Takes the milestones of deleted components with them. A definer: nobody may delete milestones.
create function pipetrak.drop_milestones() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from pipetrak.component_milestones m using old_components c where m.component_id = c.id;
  return null;
end;
$$;
comment on function pipetrak.drop_milestones is 'Trigger: deleted components take their milestones with them';
revoke all on function pipetrak.drop_milestones from public;

create trigger components_drop_milestones after delete on pipetrak.components
  referencing old table as old_components
  for each statement execute function pipetrak.drop_milestones();

-- A component of another type passes other milestones, which is harmless until work has been reported. Called for rows
-- whose type changes only. Locks the component's milestones, so that none is moved meanwhile. A definer, as above.
create function pipetrak.remake_milestones() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform from pipetrak.component_milestones m where m.component_id = new.id order by m.milestone for update;
  if exists (
    select from pipetrak.component_milestones m where m.component_id = new.id and m.percent_complete > 0
  ) then
    raise exception 'Cannot change the type from "%" to "%": found milestones with progress, expected none',
        old.component_type, new.component_type
      using errcode = 'check_violation', schema = 'pipetrak', table = 'components',
        constraint = 'type_changes_before_progress_only';
  end if;
  delete from pipetrak.component_milestones m where m.component_id = new.id;
  insert into pipetrak.component_milestones (component_id, project_id, milestone, place, weight)
  select new.id, new.project_id, t.milestone, t.place, t.weight
  from pipetrak.milestone_templates t
  where t.component_type = new.component_type;
  return null;
end;
$$;
comment on function pipetrak.remake_milestones is
  'Trigger: a component whose type changes gets the new type''s milestones, or is refused once there is progress';
revoke all on function pipetrak.remake_milestones from public;

create trigger components_remake_milestones after update of component_type on pipetrak.components
  for each row when (old.component_type is distinct from new.component_type)
  execute function pipetrak.remake_milestones();

-- Stamps a milestone that is moved: who, when, and one version more.
create function pipetrak.stamp_milestone() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  new.updated_by := auth.uid();
  return new;
end;
$$;
comment on function pipetrak.stamp_milestone is 'Trigger: version, updated_at and updated_by of a milestone that is moved';
revoke all on function pipetrak.stamp_milestone from public;

create trigger component_milestones_stamp before update on pipetrak.component_milestones
  for each row
  when (
    (old.percent_complete, old.done_on) is distinct from (new.percent_complete, new.done_on)
  )
  execute function pipetrak.stamp_milestone();

-- Keeps the progress of components whose milestones were moved. Locks those components in the order of their ids before
-- it adds up: a second person who moves another milestone of the same component then sees the first one's. A definer:
-- foremen may not write components.
create function pipetrak.keep_percent_complete() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform from pipetrak.components c
  where c.id in (select n.component_id from new_milestones n)
  order by c.id
  for no key update;

  update pipetrak.components c
  set percent_complete = s.percent_complete
  from (
    select m.component_id, round(sum(m.weight * m.percent_complete) / sum(m.weight), 2) as percent_complete
    from pipetrak.component_milestones m
    where m.component_id in (select n.component_id from new_milestones n)
    group by m.component_id
  ) s
  where c.id = s.component_id and c.percent_complete <> s.percent_complete;
  return null;
end;
$$;
comment on function pipetrak.keep_percent_complete is 'Trigger: a component''s percent_complete follows its milestones';
revoke all on function pipetrak.keep_percent_complete from public;

create trigger component_milestones_keep_percent_complete after update on pipetrak.component_milestones
  referencing new table as new_milestones
  for each statement execute function pipetrak.keep_percent_complete();

alter table pipetrak.component_milestones enable row level security;

create policy milestones_are_read_by_the_project on pipetrak.component_milestones
  for select to authenticated using (project_id in (select pipetrak.readable_projects()));
comment on policy milestones_are_read_by_the_project on pipetrak.component_milestones is 'Everybody who reads the project';
create policy milestones_are_moved_by_foremen on pipetrak.component_milestones
  for update to authenticated
  using (project_id in (select pipetrak.movable_projects()))
  with check (project_id in (select pipetrak.movable_projects()));
comment on policy milestones_are_moved_by_foremen on pipetrak.component_milestones is
  'Foremen and up; the percentage and its day are the only columns granted';

grant select, update (percent_complete, done_on) on pipetrak.component_milestones to authenticated, service_role;
