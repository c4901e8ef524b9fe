begin;
select plan(39);
select tests.create_restaurants();
insert into certus.settings (account_id, location_id, busy_extra_wait_seconds) values
  (md5('bistro')::uuid, null, 300), (md5('bistro')::uuid, md5('mayfair')::uuid, 600), (md5('diner')::uuid, null, 0);

-- acting as the account's admin
select tests.act_as('Ada');
select is((select count(*) from certus.settings), 2::bigint, 'an admin sees the settings of the account');
select results_eq($$insert into certus.settings (account_id, location_id, business_hours, voice)
  values (md5('bistro')::uuid, md5('soho')::uuid, '{"mon": [["11:30", "22:00"]]}', '{"language": "en-GB"}') returning busy_mode$$,
  $$values (false)$$, 'makes those of a location');
select throws_ok($$insert into certus.settings (account_id) values (md5('bistro')::uuid)$$, '23505', null, 'an account has one row');
select throws_ok($$insert into certus.settings (account_id, location_id) values (md5('bistro')::uuid, md5('soho')::uuid)$$, '23505', null, 'and so has a location');
select throws_ok($$insert into certus.settings (account_id) values (md5('diner')::uuid)$$, '42501', null, 'none of another account');
select throws_ok($$update certus.settings set location_id = null$$, '42501', null, 'nobody moves settings to another place');
select throws_ok($$update certus.settings set voice = '[]'$$, '23514', null, 'a voice is an object');
select throws_ok($$update certus.settings set busy_extra_wait_seconds = 7201$$, '23514', null, 'a wait has an end');
select is(tests.touched($$update certus.settings set voice = '{}' where true$$), 3::bigint, 'changes all of the account');
select is(tests.touched($$delete from certus.settings where location_id = md5('mayfair')::uuid$$), 1::bigint, 'and deletes them');

-- acting as an operator
select tests.act_as('Otto');
select is((select count(*) from certus.settings), 2::bigint, 'an operator sees those of the account and of the own location');
select is(tests.touched($$update certus.settings set busy_mode = true where true$$), 0::bigint, 'changes none');
select is(tests.touched($$delete from certus.settings where true$$), 0::bigint, 'deletes none');
select throws_ok($$insert into certus.settings (account_id, location_id) values (md5('bistro')::uuid, md5('mayfair')::uuid)$$, '42501', null, 'makes none');
select results_eq($$select busy_mode, busy_extra_wait_seconds from certus.set_busy_mode(md5('soho')::uuid, true, 900)$$, $$values (true, 900)$$,
  'but turns the busy mode of the own location on');
select results_eq($$select busy_mode, busy_extra_wait_seconds, voice from certus.set_busy_mode(md5('soho')::uuid, false)$$,
  $$values (false, 900, '{}'::jsonb)$$, 'and off, and changes nothing else');
select is(tests.error_code($$select certus.set_busy_mode(md5('mayfair')::uuid, true)$$), 'not_allowed', 'no other location''s');
select is(tests.error_code($$select certus.set_busy_mode(null, true)$$), 'not_allowed', 'nor nobody''s');
select is(tests.error_code($$select certus.set_busy_mode(md5('soho')::uuid, true, -1)$$), 'invalid_request', 'a wait below nothing is refused');
select is(tests.error_code($$select certus.set_busy_mode(md5('soho')::uuid, null)$$), 'invalid_request', 'and a mode that is neither');

-- acting as an operator of another location
select tests.act_as('Oona');
select is((select array_agg(location_id) from certus.settings), array[null]::uuid[], 'another operator sees the account''s alone');
select results_eq($$select account_id, busy_mode, busy_extra_wait_seconds from certus.set_busy_mode(md5('mayfair')::uuid, true)$$,
  $$values (md5('bistro')::uuid, true, null::integer)$$, 'busy mode makes a location''s settings where there are none, with the account''s wait');
select is((select busy_extra_wait_seconds from certus.set_busy_mode(md5('mayfair')::uuid, true, 0)), 0, 'a wait of nothing is one of its own');
select is((select busy_extra_wait_seconds from certus.set_busy_mode(md5('mayfair')::uuid, false)), 0, 'which stays');

-- acting as the organization's owner and its viewer
select tests.act_as('Olga');
select is(tests.touched($$update certus.settings set busy_mode = busy_mode where true$$), 3::bigint, 'the organization''s owner changes all');
select lives_ok($$select certus.set_busy_mode(md5('soho')::uuid, true)$$, 'and turns busy mode on');
select tests.act_as('Adam');
select is(tests.touched($$update certus.settings set busy_mode = busy_mode where true$$), 3::bigint, 'and so does its admin');
select tests.act_as('Vic');
select is((select count(*) from certus.settings), 3::bigint, 'a viewer sees all');
select is(tests.touched($$update certus.settings set busy_mode = true where true$$), 0::bigint, 'changes none');
select is(tests.error_code($$select certus.set_busy_mode(md5('soho')::uuid, true)$$), 'not_allowed', 'nor busy mode');

-- acting as a colleague, a stranger and anonymous
select tests.act_as('Mia');
select is((select count(*) from certus.settings), 0::bigint, 'a member without a role sees none');
select tests.act_as('Stranger');
select is((select count(*) from certus.settings), 1::bigint, 'a stranger sees the own');
select is(tests.touched($$update certus.settings set busy_mode = true where account_id = md5('bistro')::uuid$$), 0::bigint, 'changes no other');
select is(tests.touched($$delete from certus.settings where account_id = md5('bistro')::uuid$$), 0::bigint, 'deletes no other');
select throws_ok($$insert into certus.settings (account_id, location_id) values (md5('bistro')::uuid, null)$$, '42501', null, 'makes no other');
select is(tests.error_code($$select certus.set_busy_mode(md5('soho')::uuid, true)$$), 'not_allowed', 'nor busy mode');
select tests.act_as_anonymous();
select throws_ok('select from certus.settings', '42501', null, 'nobody reads settings without signing in');
select throws_ok($$select certus.set_busy_mode(md5('soho')::uuid, true)$$, '42501', null, 'or turns busy mode on');

select tests.act_as_postgres();
select throws_ok($$insert into certus.settings (account_id, location_id) values (md5('bistro')::uuid, md5('far')::uuid)$$, '23503', null,
  'settings are of a location of their account');
select * from finish();
rollback;
