begin;
select plan(30);
select tests.create_people('Olga', 'Adam', 'Mia', 'Vic', 'Pia', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('org')::uuid, tests.person('Adam'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('org')::uuid, tests.person('Pia'), 'member'),
  (md5('org')::uuid, tests.person('Vic'), 'viewer'),
  (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into pipetrak.projects (id, org_id, name) values
  (md5('plant')::uuid, md5('org')::uuid, 'Plant'),
  (md5('terminal')::uuid, md5('org')::uuid, 'Terminal'),
  (md5('elsewhere')::uuid, md5('other')::uuid, 'Elsewhere');
insert into pipetrak.project_members (project_id, user_id, role) values
  (md5('plant')::uuid, tests.person('Mia'), 'engineer'),
  (md5('plant')::uuid, tests.person('Pia'), 'admin');

select is((select count(*) from pg_class c where c.relnamespace = 'pipetrak'::regnamespace and c.relkind in ('r', 'p')
  and not c.relrowsecurity), 0::bigint, 'row security is on for every table of "pipetrak"');

-- acting as the organization's owner
select tests.act_as('Olga');
select results_eq('select name from pipetrak.projects order by name', $$values ('Plant'), ('Terminal')$$, 'an owner sees every project of the organization');
select results_eq(
  format($$insert into pipetrak.projects (org_id, name) values (%L, 'New') returning name$$, md5('org')::uuid),
  $$values ('New')$$, 'makes another and gets it back');
select throws_ok(format($$insert into pipetrak.projects (org_id, name) values (%L, 'New')$$, md5('other')::uuid),
  '42501', null, 'but not for another organization');
select is(tests.touched($$delete from pipetrak.projects where name in ('New', 'Elsewhere')$$), 1::bigint, 'deletes own ones only');
select throws_ok($$update pipetrak.projects set org_id = md5('other')::uuid$$, '42501', null, 'nobody moves a project to another organization');

-- acting as the organization's admin
select tests.act_as('Adam');
select is(tests.touched($$update pipetrak.projects set name = name where true$$), 2::bigint, 'an admin renames every project of the organization');
select lives_ok(format($$insert into pipetrak.projects (org_id, name) values (%L, 'Adam''s')$$, md5('org')::uuid), 'and makes them');
select is(tests.touched($$delete from pipetrak.projects where name = 'Adam''s'$$), 1::bigint, 'and deletes them');

-- acting as an engineer of one project
select tests.act_as('Mia');
select results_eq('select name from pipetrak.projects', $$values ('Plant')$$, 'a member sees the own projects only');
select throws_ok(format($$insert into pipetrak.projects (org_id, name) values (%L, 'New')$$, md5('org')::uuid),
  '42501', null, 'makes none');
select is(tests.touched($$update pipetrak.projects set name = 'Mine' where true$$), 0::bigint, 'renames none');
select is(tests.touched($$delete from pipetrak.projects where true$$), 0::bigint, 'deletes none');

-- acting as a project's admin
select tests.act_as('Pia');
select is(tests.touched($$update pipetrak.projects set name = 'Plant' where true$$), 1::bigint, 'a project''s admin renames it');
select is(tests.touched($$delete from pipetrak.projects where true$$), 0::bigint, 'but does not delete it');

-- acting as the organization's viewer
select tests.act_as('Vic');
select is((select count(*) from pipetrak.projects), 2::bigint, 'a viewer sees every project of the organization');
select is(tests.touched($$update pipetrak.projects set name = 'Mine' where true$$), 0::bigint, 'renames none');
select is(tests.touched($$delete from pipetrak.projects where true$$), 0::bigint, 'deletes none');
select throws_ok(format($$insert into pipetrak.projects (org_id, name) values (%L, 'New')$$, md5('org')::uuid),
  '42501', null, 'makes none');

-- acting as a stranger
select tests.act_as('Stranger');
select results_eq('select name from pipetrak.projects', $$values ('Elsewhere')$$, 'a stranger sees the own organization''s only');
select is(tests.touched($$update pipetrak.projects set name = 'Mine' where name = 'Plant'$$), 0::bigint, 'renames none of it');
select is(tests.touched($$delete from pipetrak.projects where name = 'Plant'$$), 0::bigint, 'deletes none of it');
select throws_ok(format($$insert into pipetrak.projects (org_id, name) values (%L, 'New')$$, md5('org')::uuid),
  '42501', null, 'makes none in it');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from pipetrak.projects', '42501', null, 'nobody reads projects without signing in');

-- acting as a removed member who comes back
select tests.act_as('Olga');
select lives_ok(format('select public.remove_member(%L, %L)', md5('org')::uuid, tests.person('Mia')), 'Mia is removed');
select tests.act_as('Mia');
select is((select count(*) from pipetrak.projects), 0::bigint, 'a removed member sees no project');
select is((select count(*) from pipetrak.writable_projects()), 0::bigint, 'and writes none');
select tests.act_as('Olga');
select lives_ok(format('select public.add_member(%L, %L, %L)', md5('org')::uuid, tests.email('Mia'), 'member'), 'Mia is added again');
select tests.act_as('Mia');
select is((select count(*) from pipetrak.projects), 0::bigint, 'the role in the project does not come back by itself');

select tests.act_as_postgres();
insert into pipetrak.drawings (project_id, number) values (md5('plant')::uuid, 'D-1');
insert into pipetrak.components (project_id, drawing_id, tag, component_type)
select d.project_id, d.id, 'SP-1', 'spool' from pipetrak.drawings d where d.project_id = md5('plant')::uuid;
select throws_ok($$delete from pipetrak.projects where id = md5('plant')::uuid$$, '23503', null,
  'a project that has components cannot be deleted');

select * from finish();
rollback;
