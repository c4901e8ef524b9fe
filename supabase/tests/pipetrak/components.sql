begin;
select plan(45);
select tests.create_people('Olga', 'Eve', 'Fay', 'Val', 'Vic', 'Mia', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role)
select md5('org')::uuid, tests.person(n), case n when 'Olga' then 'owner' when 'Vic' then 'viewer' else 'member' end
from unnest(array['Olga', 'Eve', 'Fay', 'Val', 'Vic', 'Mia']) n;
insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into pipetrak.projects (id, org_id, name) values
  (md5('plant')::uuid, md5('org')::uuid, 'Plant'),
  (md5('elsewhere')::uuid, md5('other')::uuid, 'Elsewhere');
insert into pipetrak.project_members (project_id, user_id, role) values
  (md5('plant')::uuid, tests.person('Eve'), 'engineer'),
  (md5('plant')::uuid, tests.person('Fay'), 'foreman'),
  (md5('plant')::uuid, tests.person('Val'), 'viewer');
insert into pipetrak.drawings (id, project_id, number) values
  (md5('d plant')::uuid, md5('plant')::uuid, 'D-1'),
  (md5('d elsewhere')::uuid, md5('elsewhere')::uuid, 'D-1');
insert into pipetrak.components (project_id, drawing_id, tag, component_type) values
  (md5('plant')::uuid, md5('d plant')::uuid, 'SP-1', 'spool'),
  (md5('elsewhere')::uuid, md5('d elsewhere')::uuid, 'SP-1', 'spool');

create function pg_temp.draw(p_number text, p_project text default 'plant') returns bigint language sql as $$
  select tests.touched(format('insert into pipetrak.drawings (project_id, number) values (%L, %L)', md5(p_project)::uuid, p_number));
$$;
create function pg_temp.build(p_tag text, p_project text default 'plant', p_more text default '') returns bigint language sql as $$
  select tests.touched(format(
    'insert into pipetrak.components (project_id, drawing_id, tag, component_type) values (%L, %L, %L, %L) %s',
    md5(p_project)::uuid, md5('d ' || p_project)::uuid, p_tag, 'spool', p_more));
$$;

-- acting as the organization's owner
select tests.act_as('Olga');
select is(pg_temp.draw('D-2'), 1::bigint, 'the organization''s owner adds drawings');
select is(pg_temp.build('SP-2'), 1::bigint, 'and components');
select throws_ok($$select pg_temp.draw('D-2', 'elsewhere')$$, '42501', null, 'but no drawings in another organization');
select throws_ok($$select pg_temp.build('SP-2', 'elsewhere')$$, '42501', null, 'nor components');
select is(tests.touched($$delete from pipetrak.components where tag = 'SP-2'$$), 1::bigint, 'deletes components');
select is(tests.touched($$delete from pipetrak.drawings where number = 'D-2'$$), 1::bigint, 'and drawings');

-- acting as an engineer
select tests.act_as('Eve');
select is((select count(*) from pipetrak.components), 1::bigint, 'an engineer sees the project''s components only');
select is((select count(*) from pipetrak.drawings), 1::bigint, 'and drawings');
select is(pg_temp.draw('D-2'), 1::bigint, 'adds drawings');
select is(pg_temp.build('SP-2', p_more => 'returning id'), 1::bigint, 'adds components and gets them back');
select is(pg_temp.build('SP-2', p_more => 'on conflict (project_id, tag) do update set area = excluded.tag'), 1::bigint, 'and upserts them');
select throws_ok($$select pg_temp.build('SP-3', 'elsewhere')$$, '42501', null, 'but none elsewhere');
select throws_ok(format($$insert into pipetrak.components (project_id, drawing_id, tag, component_type)
  values (%L, %L, 'SP-3', 'spool')$$, md5('plant')::uuid, md5('d elsewhere')::uuid),
  '23503', null, 'a component''s drawing is of the same project');
select is(tests.touched($$update pipetrak.components set area = 'A' where true$$), 2::bigint, 'changes components of the project only');
select is(tests.touched($$update pipetrak.drawings set title = 'T' where true$$), 2::bigint, 'and drawings');
select throws_ok($$update pipetrak.components set percent_complete = 100$$, '42501', null, 'progress is not written by hand');
select throws_ok($$update pipetrak.components set project_id = md5('elsewhere')::uuid$$, '42501', null, 'components stay in their project');
select throws_ok($$update pipetrak.drawings set project_id = md5('elsewhere')::uuid$$, '42501', null, 'and drawings');
select throws_ok(format($$update pipetrak.components set drawing_id = %L$$, md5('d elsewhere')::uuid), '23503', null,
  'nor is a drawing of another project given later');
select is(tests.touched($$delete from pipetrak.components where tag = 'SP-2'$$), 1::bigint, 'deletes components');
select is(tests.touched($$delete from pipetrak.drawings where number = 'D-2'$$), 1::bigint, 'and drawings');
select throws_ok('delete from pipetrak.drawings where true', '23503', null, 'but no drawing that has components');

-- acting as a foreman
select tests.act_as('Fay');
select is((select count(*) from pipetrak.components), 1::bigint, 'a foreman sees the components');
select throws_ok($$select pg_temp.draw('D-2')$$, '42501', null, 'adds no drawings');
select throws_ok($$select pg_temp.build('SP-2')$$, '42501', null, 'nor components');
select is(tests.touched($$update pipetrak.components set area = 'F' where true$$), 0::bigint, 'changes no components');
select is(tests.touched($$update pipetrak.drawings set title = 'F' where true$$), 0::bigint, 'nor drawings');
select is(tests.touched('delete from pipetrak.components where true'), 0::bigint, 'deletes no components');
select is(tests.touched('delete from pipetrak.drawings where true'), 0::bigint, 'nor drawings');

-- acting as the project's viewer
select tests.act_as('Val');
select is((select count(*) from pipetrak.components), 1::bigint, 'a project''s viewer sees the components');
select throws_ok($$select pg_temp.build('SP-2')$$, '42501', null, 'adds none');
select is(tests.touched($$update pipetrak.components set area = 'V' where true$$), 0::bigint, 'changes none');
select is(tests.touched('delete from pipetrak.components where true'), 0::bigint, 'deletes none');

-- acting as the organization's viewer
select tests.act_as('Vic');
select is((select count(*) from pipetrak.components), 1::bigint, 'the organization''s viewer sees the components');
select throws_ok($$select pg_temp.build('SP-2')$$, '42501', null, 'adds none');
select is(tests.touched($$update pipetrak.components set area = 'V' where true$$), 0::bigint, 'changes none');

-- acting as a colleague who is not in the project
select tests.act_as('Mia');
select is((select count(*) from pipetrak.components) + (select count(*) from pipetrak.drawings), 0::bigint, 'a colleague sees nothing of other projects');
select throws_ok($$select pg_temp.build('SP-2')$$, '42501', null, 'and adds nothing');

-- acting as a stranger
select tests.act_as('Stranger');
select is((select count(*) from pipetrak.components where project_id = md5('plant')::uuid), 0::bigint, 'a stranger sees nothing');
select throws_ok($$select pg_temp.build('SP-2')$$, '42501', null, 'adds nothing');
select is(tests.touched(format($$update pipetrak.components set area = 'S' where project_id = %L$$, md5('plant')::uuid)), 0::bigint, 'changes nothing');
select is(tests.touched(format('delete from pipetrak.components where project_id = %L', md5('plant')::uuid)), 0::bigint, 'deletes nothing');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from pipetrak.components', '42501', null, 'nobody reads components without signing in');
select throws_ok('select from pipetrak.drawings', '42501', null, 'nor drawings');

-- acting as the service
select tests.act_as_service();
select throws_ok($$update pipetrak.components set percent_complete = 100 where true$$, '42501', null,
  'the secret key does not write progress by hand either');

select * from finish();
rollback;
