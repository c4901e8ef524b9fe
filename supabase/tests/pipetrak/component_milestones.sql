begin;
select plan(41);
select tests.create_people('Olga', 'Eve', 'Fay', 'Val', 'Vic', 'Mia', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role)
select md5('org')::uuid, tests.person(n), case n when 'Olga' then 'owner' when 'Vic' then 'viewer' else 'member' end
from unnest(array['Olga', 'Eve', 'Fay', 'Val', 'Vic', 'Mia']) n;
insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into pipetrak.projects (id, org_id, name) values (md5('plant')::uuid, md5('org')::uuid, 'Plant');
insert into pipetrak.project_members (project_id, user_id, role) values
  (md5('plant')::uuid, tests.person('Eve'), 'engineer'),
  (md5('plant')::uuid, tests.person('Fay'), 'foreman'),
  (md5('plant')::uuid, tests.person('Val'), 'viewer');
insert into pipetrak.drawings (id, project_id, number) values (md5('d')::uuid, md5('plant')::uuid, 'D-1');

create function pg_temp.move(p_tag text, p_milestone text, p_percent numeric) returns bigint language sql as $$
  select tests.touched(format(
    'update pipetrak.component_milestones set percent_complete = %L where component_id = %L and milestone = %L',
    p_percent, md5(p_tag)::uuid, p_milestone));
$$;
create function pg_temp.progress(p_tag text) returns numeric language sql as $$
  select c.percent_complete from pipetrak.components c where c.id = md5(p_tag)::uuid;
$$;

-- acting as an engineer
select tests.act_as('Eve');
insert into pipetrak.components (id, project_id, drawing_id, tag, component_type)
select md5(t.tag)::uuid, md5('plant')::uuid, md5('d')::uuid, t.tag, t.type
from (values ('SP-1', 'spool'), ('SP-2', 'spool'), ('V-1', 'valve')) t (tag, type);
select results_eq(
  $$select milestone, weight::int, percent_complete::int, version from pipetrak.component_milestones
    where component_id = md5('SP-1')::uuid order by place$$,
  $$values ('receive', 10, 0, 1), ('erect', 40, 0, 1), ('connect', 30, 0, 1), ('punch', 5, 0, 1), ('test', 10, 0, 1), ('restore', 5, 0, 1)$$,
  'a spool gets its six milestones');
select is((select count(*) from pipetrak.component_milestones), 17::bigint, 'every component of a statement gets its own');
select throws_ok($$insert into pipetrak.component_milestones (component_id, project_id, milestone, place, weight)
  values (md5('SP-1')::uuid, md5('plant')::uuid, 'celebrate', 7, 50)$$, '42501', null, 'nobody adds milestones');
select throws_ok('delete from pipetrak.component_milestones', '42501', null, 'nobody deletes milestones');
select throws_ok('update pipetrak.component_milestones set weight = 100', '42501', null, 'nobody changes their weights');
select throws_ok('update pipetrak.component_milestones set version = 9', '42501', null, 'nor their versions');
select is(pg_temp.move('V-1', 'install', 50), 1::bigint, 'an engineer moves milestones');
select is(pg_temp.progress('V-1'), 30.00, 'the component''s progress follows, by weight');
select throws_ok($$select pg_temp.move('V-1', 'install', 101)$$, '23514', null, 'nothing is more than done');
select throws_ok($$select pg_temp.move('V-1', 'install', -1)$$, '23514', null, 'or less than begun');

-- acting as a foreman
select tests.act_as('Fay');
select is(pg_temp.move('SP-1', 'receive', 100), 1::bigint, 'a foreman moves milestones');
select is(pg_temp.progress('SP-1'), 10.00, 'progress is kept though a foreman writes no components');
select is(pg_temp.move('SP-1', 'erect', 33.33), 1::bigint, 'by parts too');
select is(pg_temp.progress('SP-1'), 23.33, 'which are rounded to hundredths');
select is(pg_temp.move('SP-1', 'erect', 33.33), 1::bigint, 'moving to where it is');
select results_eq(
  $$select version, updated_by, updated_at from pipetrak.component_milestones where component_id = md5('SP-1')::uuid and milestone = 'erect'$$,
  format('values (2, %L::uuid, now())', tests.person('Fay')), 'is no change; who and when is kept');
select is(tests.touched($$update pipetrak.component_milestones set percent_complete = 100 where component_id = md5('SP-2')::uuid$$),
  6::bigint, 'many at once');
select is(pg_temp.progress('SP-2'), 100.00, 'make it complete');
select results_eq(
  $$select milestone, old_percent, new_percent, changed_by from pipetrak.milestone_changes where component_id = md5('SP-1')::uuid order by id$$,
  format('values (%L, 0.00, 100.00, %L::uuid), (%L, 0.00, 33.33, %L::uuid)', 'receive', tests.person('Fay'), 'erect', tests.person('Fay')),
  'every move is in the audit trail, once');
select is((select count(*) from pipetrak.milestone_changes), 9::bigint, 'moves of many at once as well');
select throws_ok('update pipetrak.milestone_changes set new_percent = 0', '42501', null, 'nobody changes the trail');
select throws_ok('delete from pipetrak.milestone_changes', '42501', null, 'nor deletes it');
select throws_ok($$insert into pipetrak.milestone_changes (project_id, component_id, milestone, old_percent, new_percent)
  values (md5('plant')::uuid, md5('SP-1')::uuid, 'test', 0, 100)$$, '42501', null, 'nor forges it');

-- acting as viewers, of the project and of the organization
select tests.act_as('Val');
select is((select count(*) from pipetrak.component_milestones), 17::bigint, 'a project''s viewer sees milestones');
select is((select count(*) from pipetrak.milestone_changes), 9::bigint, 'and their changes');
select is(pg_temp.move('SP-1', 'test', 100), 0::bigint, 'but moves none');
select tests.act_as('Vic');
select is((select count(*) from pipetrak.component_milestones), 17::bigint, 'the organization''s viewer sees milestones');
select is(pg_temp.move('SP-1', 'test', 100), 0::bigint, 'but moves none');

-- acting as a colleague who is not in the project, and as a stranger
select tests.act_as('Mia');
select is((select count(*) from pipetrak.component_milestones) + (select count(*) from pipetrak.milestone_changes), 0::bigint, 'a colleague sees nothing of other projects');
select is(pg_temp.move('SP-1', 'test', 100), 0::bigint, 'and moves nothing');
select tests.act_as('Stranger');
select is((select count(*) from pipetrak.component_milestones) + (select count(*) from pipetrak.milestone_changes), 0::bigint, 'a stranger sees nothing');
select is(pg_temp.move('SP-1', 'test', 100), 0::bigint, 'and moves nothing');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from pipetrak.component_milestones', '42501', null, 'nobody reads milestones without signing in');
select throws_ok('select from pipetrak.milestone_changes', '42501', null, 'nor their changes');

-- acting as an engineer again: types and deletion
select tests.act_as('Eve');
select throws_ok($$update pipetrak.components set component_type = 'valve' where tag = 'SP-1'$$, '23514',
  'Cannot change the type from "spool" to "valve": found milestones with progress, expected none',
  'a component with progress keeps its type');
select lives_ok($$insert into pipetrak.components (id, project_id, drawing_id, tag, component_type)
  values (md5('SP-3')::uuid, md5('plant')::uuid, md5('d')::uuid, 'SP-3', 'spool')$$, 'a component without progress');
select lives_ok($$update pipetrak.components set component_type = 'paint' where tag = 'SP-3'$$, 'may change its type');
select results_eq(
  $$select milestone from pipetrak.component_milestones where component_id = md5('SP-3')::uuid order by place$$,
  $$values ('primer'), ('finish_coat')$$, 'and has the other type''s milestones then');
select lives_ok($$delete from pipetrak.components where tag in ('SP-2', 'SP-3')$$, 'components are deleted');
select is((select count(*) from pipetrak.component_milestones), 11::bigint, 'with their milestones');

select tests.act_as_postgres();
select throws_ok('delete from pipetrak.milestone_changes where true', '23001',
  'Cannot delete the audit trail of milestones: expected new rows only', 'the audit trail is append-only, whoever asks');

select * from finish();
rollback;
