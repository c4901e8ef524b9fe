begin;
select plan(16);
select tests.create_people('Olga', 'Eve', 'Fay', 'Vic', 'Mia', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role)
select md5('org')::uuid, tests.person(n), case n when 'Olga' then 'owner' when 'Vic' then 'viewer' else 'member' end
from unnest(array['Olga', 'Eve', 'Fay', 'Vic', 'Mia']) n;
insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into pipetrak.projects (id, org_id, name) values (md5('plant')::uuid, md5('org')::uuid, 'Plant');
insert into pipetrak.project_members (project_id, user_id, role) values
  (md5('plant')::uuid, tests.person('Eve'), 'engineer'),
  (md5('plant')::uuid, tests.person('Fay'), 'foreman'),
  (md5('plant')::uuid, tests.person('Vic'), 'engineer');

create function pg_temp.allowed() returns uuid language sql as $$
  select pipetrak.authorize_import(jsonb_build_object('project_id', md5('plant')::uuid));
$$;

select tests.act_as('Olga');
select is(pg_temp.allowed(), md5('org')::uuid, 'the organization''s owner may import into its projects');
select tests.act_as('Eve');
select is(pg_temp.allowed(), md5('org')::uuid, 'an engineer may');
select tests.act_as('Fay');
select is(pg_temp.allowed(), null, 'a foreman may not');
select tests.act_as('Vic');
select is(pg_temp.allowed(), null, 'a viewer of the organization may not, whatever the project''s role');
select tests.act_as('Mia');
select is(pg_temp.allowed(), null, 'a colleague who is not in the project may not');
select tests.act_as('Stranger');
select is(pg_temp.allowed(), null, 'a stranger may not');
select tests.act_as_anonymous();
select throws_ok('select pipetrak.authorize_import(null)', '42501', null, 'nobody asks without signing in');

select tests.act_as('Olga');
select is(pipetrak.authorize_import(s.scope), null, 'no scope: ' || coalesce(s.scope::text, 'null'))
from (values (null::jsonb), ('{}'), ('[]'), ('"x"'), ('{"project_id": null}'), ('{"project_id": "x"}'),
  ('{"project_id": {"id": 1}}'), (format('{"project_id": "%s"}', md5('nowhere')::uuid)::jsonb)) s (scope);

-- acting as the worker, which vacuums what it does not own
select ok(has_table_privilege('longshore_worker', 'pipetrak.components', 'maintain')
  and not has_table_privilege('longshore_worker', 'pipetrak.components', 'select, insert, update, delete'),
  'the worker may vacuum components and nothing else');

select * from finish();
rollback;
