begin;
select plan(26);
select tests.create_people('Olga', 'Pro', 'Pia', 'Eve', 'Fay', 'Vic', 'New1', 'New2', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role)
select md5('org')::uuid, tests.person(n), case n when 'Olga' then 'owner' when 'Vic' then 'viewer' else 'member' end
from unnest(array['Olga', 'Pro', 'Pia', 'Eve', 'Fay', 'Vic', 'New1', 'New2']) n;
insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into pipetrak.projects (id, org_id, name) values
  (md5('plant')::uuid, md5('org')::uuid, 'Plant'),
  (md5('elsewhere')::uuid, md5('other')::uuid, 'Elsewhere');
insert into pipetrak.project_members (project_id, user_id, role) values
  (md5('plant')::uuid, tests.person('Pro'), 'owner'),
  (md5('plant')::uuid, tests.person('Pia'), 'admin'),
  (md5('plant')::uuid, tests.person('Eve'), 'engineer'),
  (md5('plant')::uuid, tests.person('Fay'), 'foreman'),
  (md5('plant')::uuid, tests.person('Vic'), 'admin');

create function pg_temp.add(p_name text, p_role text, p_project text default 'plant') returns bigint language sql as $$
  select tests.touched(format('insert into pipetrak.project_members (project_id, user_id, role) values (%L, %L, %L)',
    md5(p_project)::uuid, tests.person(p_name), p_role));
$$;
create function pg_temp.change(p_name text, p_role text) returns bigint language sql as $$
  select tests.touched(format('update pipetrak.project_members set role = %L where user_id = %L', p_role, tests.person(p_name)));
$$;
create function pg_temp.remove(p_name text) returns bigint language sql as $$
  select tests.touched(format('delete from pipetrak.project_members where user_id = %L', tests.person(p_name)));
$$;

-- acting as the organization's owner
select tests.act_as('Olga');
select is(pg_temp.add('New1', 'owner'), 1::bigint, 'the organization''s owner makes project owners');
select is(pg_temp.change('New1', 'viewer'), 1::bigint, 'changes roles');
select is(pg_temp.remove('New1'), 1::bigint, 'and removes people');
select throws_ok($$select pg_temp.add('Stranger', 'viewer')$$, '23503', null, 'only people of the organization join a project');
select throws_ok($$select pg_temp.add('Olga', 'viewer', 'elsewhere')$$, '42501', null, 'nobody joins a project of another organization');
select throws_ok($$select pg_temp.add('Olga', 'viewer', 'nowhere')$$, '42501', null, 'a project that is not there looks the same');

-- acting as the project's owner
select tests.act_as('Pro');
select is(pg_temp.add('New1', 'owner'), 1::bigint, 'a project''s owner makes owners');
select is(pg_temp.change('Pro', 'viewer'), 0::bigint, 'but edits no own role');
select is(pg_temp.remove('New1'), 1::bigint, 'and removes owners');

-- acting as the project's admin
select tests.act_as('Pia');
select is(pg_temp.add('New1', 'admin'), 1::bigint, 'a project''s admin makes admins');
select is(pg_temp.change('New1', 'engineer'), 1::bigint, 'changes roles');
select throws_ok($$select pg_temp.add('New2', 'owner')$$, '42501', null, 'but makes no owners');
select throws_ok($$select pg_temp.change('New1', 'owner')$$, '42501', null, 'by no way');
select is(pg_temp.change('Pia', 'viewer'), 0::bigint, 'edits no own role');
select is(pg_temp.change('Pro', 'viewer'), 0::bigint, 'does not demote owners');
select is(pg_temp.remove('Pro'), 0::bigint, 'nor removes them');
select throws_ok($$update pipetrak.project_members set user_id = tests.person('Pia')$$, '42501', null, 'and hands no role on');

-- acting as an engineer
select tests.act_as('Eve');
select is((select count(*) from pipetrak.project_members), 6::bigint, 'an engineer sees who is in the project');
select throws_ok($$select pg_temp.add('New2', 'viewer')$$, '42501', null, 'adds nobody');
select is(pg_temp.change('Fay', 'viewer') + pg_temp.change('Eve', 'owner'), 0::bigint, 'changes nobody');
select is(pg_temp.remove('Fay'), 0::bigint, 'removes nobody');

-- acting as the organization's viewer, though the project calls him an admin
select tests.act_as('Vic');
select throws_ok($$select pg_temp.add('New2', 'viewer')$$, '42501', null, 'a viewer of the organization only reads its projects');
select is(pg_temp.remove('Fay'), 0::bigint, 'whatever the project''s role');

-- acting as a stranger
select tests.act_as('Stranger');
select is((select count(*) from pipetrak.project_members), 0::bigint, 'a stranger sees nobody');
select throws_ok($$select pg_temp.add('Stranger', 'owner')$$, '42501', null, 'and does not let himself in');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from pipetrak.project_members', '42501', null, 'nobody reads them without signing in');

select * from finish();
rollback;
