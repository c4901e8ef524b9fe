begin;
select plan(37);
select tests.create_restaurants();

-- acting as the organization's owner
select tests.act_as('Olga');
select is((select count(*) from certus.account_members), 3::bigint, 'the organization''s owner sees the account''s members');
select lives_ok(format($$insert into certus.account_members (account_id, user_id, role) values (md5('bistro')::uuid, %L, 'admin')$$, tests.person('Mia')),
  'makes an admin');
select is(tests.touched(format('delete from certus.account_members where user_id = %L', tests.person('Mia'))), 1::bigint, 'and removes one');
select is(tests.touched(format('update certus.account_members set role = role where user_id = %L', tests.person('Ada'))), 1::bigint, 'changes roles');

-- acting as the account's admin
select tests.act_as('Ada');
select is((select count(*) from certus.account_members), 3::bigint, 'an admin sees the members');
select lives_ok(format($$insert into certus.account_members (account_id, user_id, role) values (md5('bistro')::uuid, %L, 'operator')$$, tests.person('Mia')),
  'adds an operator');
select throws_ok(format($$insert into certus.account_members (account_id, user_id, role) values (md5('bistro')::uuid, %L, 'operator')$$, tests.person('Stranger')),
  '23503', null, 'but nobody from outside the organization');
select throws_ok(format($$insert into certus.account_members (account_id, user_id, role) values (md5('diner')::uuid, %L, 'operator')$$, tests.person('Mia')),
  '42501', null, 'and nobody to another account');
select throws_ok(format($$insert into certus.account_members (account_id, user_id, role) values (md5('bistro')::uuid, %L, 'chef')$$, tests.person('Vic')),
  '23514', null, 'a role that is none is refused');
select is(tests.touched($$update certus.account_members set role = 'operator' where user_id = auth.uid()$$), 0::bigint, 'nobody changes an own role');
select is(tests.touched(format($$update certus.account_members set role = 'admin' where user_id = %L$$, tests.person('Mia'))), 1::bigint, 'an admin makes admins');
select throws_ok($$update certus.account_members set account_id = md5('diner')::uuid$$, '42501', null, 'nobody moves a role to another account');
select lives_ok(format($$insert into certus.member_locations (account_id, user_id, location_id) values (md5('bistro')::uuid, %L, md5('soho')::uuid)$$, tests.person('Mia')),
  'gives a location');
select throws_ok(format($$insert into certus.member_locations (account_id, user_id, location_id) values (md5('bistro')::uuid, %L, md5('far')::uuid)$$, tests.person('Mia')),
  '23503', null, 'but none of another account');
select throws_ok(format($$insert into certus.member_locations (account_id, user_id, location_id) values (md5('diner')::uuid, %L, md5('far')::uuid)$$, tests.person('Mia')),
  '42501', null, 'nor in its name');
select is(tests.touched(format('delete from certus.member_locations where user_id = %L', tests.person('Oona'))), 1::bigint, 'and takes one');
select tests.act_as('Oona');
select is((select count(*) from certus.readable_locations()), 0::bigint, 'which its operator no longer sees');

-- acting as an operator
select tests.act_as('Otto');
select is((select count(*) from certus.account_members), 4::bigint, 'an operator sees the members');
select is((select count(*) from certus.member_locations), 2::bigint, 'and who has which location');
select throws_ok($$insert into certus.member_locations (account_id, user_id, location_id) values (md5('bistro')::uuid, auth.uid(), md5('mayfair')::uuid)$$,
  '42501', null, 'an operator takes no location');
select throws_ok(format($$insert into certus.account_members (account_id, user_id, role) values (md5('bistro')::uuid, %L, 'operator')$$, tests.person('Vic')),
  '42501', null, 'adds nobody');
select is(tests.touched($$update certus.account_members set role = 'admin' where true$$), 0::bigint, 'does not rise');
select is(tests.touched($$delete from certus.account_members where true$$), 0::bigint, 'removes nobody');
select is(tests.touched($$delete from certus.member_locations where true$$), 0::bigint, 'takes no location from anybody');

-- acting as the organization's viewer
select tests.act_as('Vic');
select is((select count(*) from certus.account_members), 4::bigint, 'a viewer sees the members');
select is(tests.touched($$delete from certus.account_members where true$$), 0::bigint, 'removes nobody');

-- acting as a stranger
select tests.act_as('Stranger');
select is((select count(*) from certus.account_members), 0::bigint, 'a stranger sees no member');
select is((select count(*) from certus.member_locations), 0::bigint, 'nor a location''s');
select throws_ok($$insert into certus.account_members (account_id, user_id, role) values (md5('bistro')::uuid, auth.uid(), 'admin')$$, '42501', null, 'does not enter');
select is(tests.touched($$delete from certus.account_members where true$$), 0::bigint, 'removes nobody');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from certus.account_members', '42501', null, 'nobody reads members without signing in');
select throws_ok('select from certus.member_locations', '42501', null, 'nor who has which location');

-- acting as a removed member who comes back
select tests.act_as('Olga');
select lives_ok(format('select public.remove_member(%L, %L)', md5('org')::uuid, tests.person('Otto')), 'Otto is removed');
select tests.act_as('Otto');
select is((select count(*) from certus.locations), 0::bigint, 'a removed member sees no location');
select tests.act_as('Olga');
select lives_ok(format('select public.add_member(%L, %L, %L)', md5('org')::uuid, tests.email('Otto'), 'member'), 'Otto is added again');
select tests.act_as('Otto');
select is((select count(*) from certus.locations), 0::bigint, 'the locations do not come back by themselves');
select is((select count(*) from certus.accounts), 0::bigint, 'nor does the account');

select * from finish();
rollback;
