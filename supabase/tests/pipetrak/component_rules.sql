begin;
select plan(19);
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org');
insert into pipetrak.projects (id, org_id, name) values (md5('plant')::uuid, md5('org')::uuid, 'Plant');
insert into pipetrak.drawings (id, project_id, number) values (md5('d')::uuid, md5('plant')::uuid, 'D-1');

-- The constraint that refuses a component; null when none does.
create function pg_temp.refused_by(p_columns text, p_values text) returns text language plpgsql as $$
declare
  v_constraint text;
begin
  execute format('insert into pipetrak.components (project_id, drawing_id, component_type, %s) values (%L, %L, %s)',
    p_columns, md5('plant')::uuid, md5('d')::uuid, p_values);
  return null;
exception when integrity_constraint_violation then
  get stacked diagnostics v_constraint = constraint_name;
  return v_constraint;
end;
$$;

select is(pg_temp.refused_by('tag', $$'spool', 'SP-1'$$), null, 'a component needs project, drawing, type and tag only');
select is(pg_temp.refused_by('tag', $$'spool', 'SP-1'$$), 'component_tag_is_unique_in_the_project', 'tags are unique in the project');
select is(pg_temp.refused_by('tag', $$'spool', ' '$$), 'tag_is_not_blank', 'tags are not blank');
select is(pg_temp.refused_by('tag', $$'spool', repeat('x', 201)$$), 'tag_has_at_most_200_characters', 'tags are not endless');
select is(pg_temp.refused_by('tag', $$'spools', 'SP-2'$$), 'components_component_type_fkey', 'types are known');
select is(pg_temp.refused_by('tag, quantity', $$'spool', 'SP-2', 0$$), 'quantity_is_positive', 'quantities are positive');
select is(pg_temp.refused_by('tag, weight_kg', $$'spool', 'SP-2', -1$$), 'weight_is_not_negative', 'weights are not negative');
select is(pg_temp.refused_by('tag, weight_kg', $$'spool', 'SP-2', 0$$), null, 'but may be nothing');
select is(pg_temp.refused_by('tag, ' || c, format($$'spool', 'SP-3', %L$$, n)), r, format('%s is no %s', n, c))
from (values ('quantity', 'quantity_is_positive'), ('weight_kg', 'weight_is_not_negative')) v (c, r), unnest(array['NaN', 'Infinity']) n;
select is(pg_temp.refused_by('tag, attributes', $$'spool', 'SP-3', '[]'$$), 'attributes_are_an_object', 'attributes are an object');

insert into pipetrak.drawings (project_id, number) values (md5('plant')::uuid, 'D-2');
select throws_ok(format($$insert into pipetrak.drawings (project_id, number) values (%L, 'D-2')$$, md5('plant')::uuid), '23505', null, 'drawing numbers are unique in the project');
select throws_ok(format($$insert into pipetrak.drawings (project_id, number) values (%L, ' ')$$, md5('plant')::uuid), '23514', null, 'and not blank');

select is((select string_agg(t.name, ', ') from pipetrak.component_types t
  where not exists (select from pipetrak.milestone_templates m where m.component_type = t.name)), null, 'every type has milestones');
select is((select string_agg(s.component_type, ', ') from (
  select component_type from pipetrak.milestone_templates group by 1 having sum(weight) <> 100) s), null, 'the weights of each type add up to 100');
select results_eq(
  $$select milestone, weight::int from pipetrak.milestone_templates where component_type = 'spool' order by place$$,
  $$values ('receive', 10), ('erect', 40), ('connect', 30), ('punch', 5), ('test', 10), ('restore', 5)$$, 'a spool has its six milestones');

insert into pipetrak.components (project_id, drawing_id, tag, component_type, updated_at)
values (md5('plant')::uuid, md5('d')::uuid, 'SP-4', 'spool', '2020-01-01');
update pipetrak.components set area = 'A' where project_id = md5('plant')::uuid and tag = 'SP-4';
select is((select updated_at from pipetrak.components where project_id = md5('plant')::uuid and tag = 'SP-4'), now(),
  'updated_at is the time of the last change');

select * from finish();
rollback;
