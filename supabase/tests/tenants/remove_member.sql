begin;
select plan(17);
select tests.create_people('Olga', 'Otto', 'Adam', 'Anna', 'Mia', 'Vic', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('org')::uuid, tests.person('Otto'), 'owner'),
  (md5('org')::uuid, tests.person('Adam'), 'admin'),
  (md5('org')::uuid, tests.person('Anna'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('org')::uuid, tests.person('Vic'), 'viewer'),
  (md5('other')::uuid, tests.person('Stranger'), 'owner');

create function pg_temp.remove(p_name text, p_org text default 'org') returns text language sql as $$
  select tests.error_code(format('select public.remove_member(%L, %L)', md5(p_org)::uuid, tests.person(p_name)));
$$;
create function pg_temp.is_member(p_name text) returns boolean language sql security definer as $$
  select exists (select from public.memberships m where m.org_id = md5('org')::uuid and m.user_id = md5('person ' || p_name)::uuid);
$$;

-- acting as a member
select tests.act_as('Mia');
select is(pg_temp.remove('Vic'), 'not_allowed', 'a member removes nobody');

-- acting as a viewer
select tests.act_as('Vic');
select is(pg_temp.remove('Mia'), 'not_allowed', 'a viewer removes nobody');

-- acting as a stranger, who owns another organization
select tests.act_as('Stranger');
select is(pg_temp.remove('Mia'), 'not_allowed', 'a stranger removes nobody');
select is(pg_temp.remove('Stranger', 'other'), 'last_owner', 'the last owner stays');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok(format('select public.remove_member(%L, %L)', md5('org')::uuid, tests.person('Mia')), '42501', null,
  'nobody does so without signing in');

-- acting as an admin
select tests.act_as('Adam');
select is(pg_temp.remove('Olga'), 'not_allowed', 'an admin removes no owner');
select ok(pg_temp.is_member('Olga'), 'who is still there');
select is(pg_temp.remove('Mia'), null, 'an admin removes a member');
select ok(not pg_temp.is_member('Mia'), 'who is gone');
select is(pg_temp.remove('Mia'), 'member_not_found', 'once only');
select is(pg_temp.remove('Anna'), null, 'an admin removes an admin');
select is(pg_temp.remove('Adam'), null, 'and may leave');
select is(pg_temp.remove('Vic'), 'not_allowed', 'a removed admin has no right left');

-- acting as an owner
select tests.act_as('Olga');
select is(pg_temp.remove('Otto'), null, 'an owner removes an owner');
select is(pg_temp.remove('Olga'), 'last_owner', 'but not the last one, himself');
select ok(pg_temp.is_member('Olga'), 'who is still there');

select tests.act_as_postgres();
select lives_ok(format('delete from auth.users where id = %L', tests.person('Olga')),
  'an account may always be deleted; its memberships go with it');

select * from finish();
rollback;
