begin;
select plan(36);
select tests.create_people('Olga', 'Adam', 'Mia', 'Vic', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('org')::uuid, tests.person('Adam'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('org')::uuid, tests.person('Vic'), 'viewer'),
  (md5('other')::uuid, tests.person('Stranger'), 'owner');

select is((select count(*) from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  and not c.relrowsecurity), 0::bigint, 'row security is on for every table of "public"');

-- what the API's roles are granted, whatever "public" grants by default
select table_privs_are('public', t, 'anon', array[]::text[], 'nobody has a right on ' || t || ' without signing in')
from unnest(array['organizations', 'memberships']) t;
select table_privs_are('public', t, 'authenticated', array['SELECT'], 'people read ' || t || ' and no more')
from unnest(array['organizations', 'memberships']) t;
select table_privs_are('public', t, 'service_role', array['SELECT', 'INSERT', 'UPDATE', 'DELETE'], 'the back office writes ' || t)
from unnest(array['organizations', 'memberships']) t;
select function_privs_are('public', f, a, 'anon', array[]::text[], 'nobody calls ' || f || ' without signing in')
from (values ('member_orgs', array[]::text[]), ('admin_orgs', array[]::text[]), ('contributor_orgs', array[]::text[]),
  ('create_organization', array['text']), ('add_member', array['uuid', 'text', 'text']), ('remove_member', array['uuid', 'uuid'])
) functions (f, a);

-- acting as the owner
select tests.act_as('Olga');
select results_eq('select name from public.organizations', $$values ('Org')$$, 'an owner sees the own organization only');
select is((select count(*) from public.memberships), 4::bigint, 'and its members');
select is(tests.touched($$update public.organizations set name = 'Renamed' where true$$), 1::bigint, 'and renames it only');
select throws_ok('update public.organizations set created_at = now()', '42501', null, 'but not when it was made');
select throws_ok('delete from public.organizations', '42501', null, 'nor deletes it');
select throws_ok($$insert into public.organizations (name) values ('Another')$$, '42501', null, 'nor makes one past the function');
select throws_ok($$update public.memberships set role = 'owner'$$, '42501', null, 'nobody edits roles, an owner neither');
select throws_ok('delete from public.memberships', '42501', null, 'nor deletes memberships past the function');

-- acting as an admin
select tests.act_as('Adam');
select is(tests.touched($$update public.organizations set name = 'Renamed' where true$$), 1::bigint, 'an admin renames it');

-- acting as a member
select tests.act_as('Mia');
select is((select count(*) from public.organizations), 1::bigint, 'a member sees the organization');
select is((select count(*) from public.memberships), 4::bigint, 'and who else is in it');
select is(tests.touched($$update public.organizations set name = 'Mine' where true$$), 0::bigint, 'but does not rename it');
select throws_ok(format($$insert into public.memberships (org_id, user_id, role) values (%L, %L, 'owner')$$,
  md5('other')::uuid, tests.person('Mia')), '42501', null, 'nor joins another');

-- acting as a viewer
select tests.act_as('Vic');
select is((select count(*) from public.organizations), 1::bigint, 'a viewer sees the organization');
select is(tests.touched($$update public.organizations set name = 'Mine' where true$$), 0::bigint, 'but does not rename it');

-- acting as a stranger
select tests.act_as('Stranger');
select results_eq('select name from public.organizations', $$values ('Other')$$, 'a stranger sees another one only');
select is((select count(*) from public.memberships where org_id = md5('org')::uuid), 0::bigint, 'and none of its members');
select is(tests.touched(format($$update public.organizations set name = 'Mine' where id = %L$$, md5('org')::uuid)), 0::bigint,
  'and does not rename it');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from public.organizations', '42501', null, 'nobody reads organizations without signing in');
select throws_ok('select from public.memberships', '42501', null, 'nor memberships');

-- acting as a removed member
select tests.act_as('Adam');
select lives_ok(format('select public.remove_member(%L, %L)', md5('org')::uuid, tests.person('Mia')), 'Mia is removed');
select tests.act_as('Mia');
select is((select count(*) from public.organizations), 0::bigint, 'a removed member sees nothing of the organization');
select is((select count(*) from public.memberships), 0::bigint, 'nor of its members');

select * from finish();
rollback;
