-- Drawings and components are what people import by the hundred thousand. Everything a row costs is paid that often, so
-- what can be said once a statement is (policies by helper, milestones by transition table), and what another constraint
-- implies is not checked twice.
create table pipetrak.drawings (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references pipetrak.projects (id) on delete cascade,
  number text not null,
  revision text,
  title text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint drawing_number_is_unique_in_the_project unique (project_id, number),
  constraint drawings_are_known_with_their_project unique (id, project_id),
  constraint drawing_number_is_not_blank check (btrim(number) <> ''),
  constraint drawing_number_has_at_most_200_characters check (char_length(number) <= 200)
);
comment on table pipetrak.drawings is 'The drawing register of a project; components refer to it';
comment on column pipetrak.drawings.number is 'The drawing''s name on the site, unique in the project';

create table pipetrak.components (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null,
  drawing_id uuid not null,
  tag text not null,
  description text,
  component_type text not null references pipetrak.component_types (name),
  area text,
  system text,
  test_package text,
  spec text,
  size text,
  quantity numeric,
  weight_kg numeric,
  attributes jsonb not null default '{}',
  percent_complete numeric(5, 2) not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint component_tag_is_unique_in_the_project unique (project_id, tag),
  -- Says too that the project exists.
  constraint component_drawing_is_of_the_same_project
    foreign key (drawing_id, project_id) references pipetrak.drawings (id, project_id),
  constraint tag_is_not_blank check (btrim(tag) <> ''),
  constraint tag_has_at_most_200_characters check (char_length(tag) <= 200),
  -- NaN is more than every number, and infinity is none.
  constraint quantity_is_positive check (quantity > 0 and quantity < 'Infinity'),
  constraint weight_is_not_negative check (weight_kg >= 0 and weight_kg < 'Infinity'),
  constraint attributes_are_an_object check (jsonb_typeof(attributes) = 'object'),
  constraint percent_complete_is_a_percentage check (percent_complete between 0 and 100)
) with (fillfactor = 90);
comment on table pipetrak.components is 'Pipe components of a project; a milestone moved updates the row in place';
comment on column pipetrak.components.tag is 'The component''s name on the site, unique in the project: the key of imports';
comment on column pipetrak.components.test_package is 'The pressure test that the component is part of';
comment on column pipetrak.components.size is 'Nominal size as the specification writes it, such as 2" or DN50';
comment on column pipetrak.components.percent_complete is 'Weighted progress of its milestones, kept by a trigger';
create index components_of_a_drawing on pipetrak.components (drawing_id, project_id);

-- Stamps a row that is changed; new rows have the default.
create function pipetrak.touch() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
comment on function pipetrak.touch is 'Trigger: updated_at is the time of the last change';
revoke all on function pipetrak.touch from public;

create trigger drawings_touch before update on pipetrak.drawings
  for each row execute function pipetrak.touch();
create trigger components_touch before update on pipetrak.components
  for each row execute function pipetrak.touch();

alter table pipetrak.drawings enable row level security;
alter table pipetrak.components enable row level security;

create policy drawings_are_read_by_the_project on pipetrak.drawings
  for select to authenticated using (project_id in (select pipetrak.readable_projects()));
comment on policy drawings_are_read_by_the_project on pipetrak.drawings is 'Everybody who reads the project';
create policy drawings_are_added_by_engineers on pipetrak.drawings
  for insert to authenticated with check (project_id in (select pipetrak.writable_projects()));
comment on policy drawings_are_added_by_engineers on pipetrak.drawings is 'Engineers and up';
create policy drawings_are_changed_by_engineers on pipetrak.drawings
  for update to authenticated
  using (project_id in (select pipetrak.writable_projects()))
  with check (project_id in (select pipetrak.writable_projects()));
comment on policy drawings_are_changed_by_engineers on pipetrak.drawings is 'Engineers and up';
create policy drawings_are_deleted_by_engineers on pipetrak.drawings
  for delete to authenticated using (project_id in (select pipetrak.writable_projects()));
comment on policy drawings_are_deleted_by_engineers on pipetrak.drawings is 'Engineers and up';

create policy components_are_read_by_the_project on pipetrak.components
  for select to authenticated using (project_id in (select pipetrak.readable_projects()));
comment on policy components_are_read_by_the_project on pipetrak.components is 'Everybody who reads the project';
create policy components_are_added_by_engineers on pipetrak.components
  for insert to authenticated with check (project_id in (select pipetrak.writable_projects()));
comment on policy components_are_added_by_engineers on pipetrak.components is 'Engineers and up';
create policy components_are_changed_by_engineers on pipetrak.components
  for update to authenticated
  using (project_id in (select pipetrak.writable_projects()))
  with check (project_id in (select pipetrak.writable_projects()));
comment on policy components_are_changed_by_engineers on pipetrak.components is 'Engineers and up';
create policy components_are_deleted_by_engineers on pipetrak.components
  for delete to authenticated using (project_id in (select pipetrak.writable_projects()));
comment on policy components_are_deleted_by_engineers on pipetrak.components is 'Engineers and up';

-- Rows stay in their project, times and progress are the database's: those columns are granted to nobody, the secret
-- key included.
grant
  select,
  insert (id, project_id, number, revision, title),
  update (number, revision, title),
  delete
on pipetrak.drawings to authenticated, service_role;
grant
  select,
  insert (id, project_id, drawing_id, tag, description, component_type, area, system, test_package, spec, size,
    quantity, weight_kg, attributes),
  update (drawing_id, tag, description, component_type, area, system, test_package, spec, size, quantity, weight_kg,
    attributes),
  delete
on pipetrak.components to authenticated, service_role;
