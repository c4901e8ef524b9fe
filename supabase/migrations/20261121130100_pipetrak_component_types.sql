-- Progress is counted in milestones, and which ones a component passes depends on its type alone. The types and their
-- weights are the product's definition, the same for everybody, and therefore part of the schema: only a migration
-- changes them.
create table pipetrak.component_types (
  name text primary key,
  title text not null,
  constraint component_type_name_is_snake_case check (name ~ '^[a-z][a-z0-9_]*$')
);
comment on table pipetrak.component_types is 'The kinds of component there are';

create table pipetrak.milestone_templates (
  component_type text not null references pipetrak.component_types (name),
  milestone text not null,
  place smallint not null,
  weight numeric(5, 2) not null,
  primary key (component_type, milestone),
  constraint milestone_places_differ unique (component_type, place),
  constraint milestone_weight_is_a_share_of_100 check (weight > 0 and weight <= 100)
);
comment on table pipetrak.milestone_templates is 'The milestones of each type, in order; the weights of a type add up to 100';
comment on column pipetrak.milestone_templates.weight is 'Share of the component''s progress, in percent';

insert into pipetrak.component_types (name, title) values
  ('spool', 'Spool'),
  ('pipe', 'Pipe'),
  ('fitting', 'Fitting'),
  ('flange', 'Flange'),
  ('valve', 'Valve'),
  ('support', 'Support'),
  ('gasket', 'Gasket'),
  ('instrument', 'Instrument'),
  ('field_weld', 'Field weld'),
  ('insulation', 'Insulation'),
  ('paint', 'Paint'),
  ('misc', 'Miscellaneous');

-- Prefabricated and field-run pipe are erected and connected; what is bolted on is installed in one step.
insert into pipetrak.milestone_templates (component_type, milestone, place, weight)
select t.name, m.milestone, m.place, m.weight
from (values
  ('assembled', 'receive', 1, 10), ('assembled', 'erect', 2, 40), ('assembled', 'connect', 3, 30),
  ('assembled', 'punch', 4, 5), ('assembled', 'test', 5, 10), ('assembled', 'restore', 6, 5),
  ('installed', 'receive', 1, 10), ('installed', 'install', 2, 60), ('installed', 'punch', 3, 10),
  ('installed', 'test', 4, 15), ('installed', 'restore', 5, 5),
  ('field_weld', 'fit_up', 1, 10), ('field_weld', 'weld', 2, 60), ('field_weld', 'punch', 3, 10),
  ('field_weld', 'test', 4, 15), ('field_weld', 'restore', 5, 5),
  ('insulation', 'insulate', 1, 60), ('insulation', 'metal_out', 2, 40),
  ('paint', 'primer', 1, 40), ('paint', 'finish_coat', 2, 60)
) as m (template, milestone, place, weight)
join pipetrak.component_types t on m.template = case
  when t.name in ('spool', 'pipe') then 'assembled'
  when t.name in ('field_weld', 'insulation', 'paint') then t.name
  else 'installed'
end;

alter table pipetrak.component_types enable row level security;
alter table pipetrak.milestone_templates enable row level security;

create policy component_types_are_read_by_everybody on pipetrak.component_types
  for select to authenticated using (true);
comment on policy component_types_are_read_by_everybody on pipetrak.component_types is 'The product''s definition is no secret';

create policy milestone_templates_are_read_by_everybody on pipetrak.milestone_templates
  for select to authenticated using (true);
comment on policy milestone_templates_are_read_by_everybody on pipetrak.milestone_templates is
  'The product''s definition is no secret';

grant select on pipetrak.component_types, pipetrak.milestone_templates to authenticated, service_role;
