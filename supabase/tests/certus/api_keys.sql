begin;
select plan(24);
select tests.create_restaurants();
insert into certus.api_keys (account_id, name, hint) values (md5('bistro')::uuid, 'Till', 'k3y4'), (md5('diner')::uuid, 'Till', 'k3y5');

-- acting as the account's admin
select tests.act_as('Ada');
select is((select count(*) from certus.api_keys), 1::bigint, 'an admin sees the account''s keys');
select results_eq($$insert into certus.api_keys (account_id, name, hint) values (md5('bistro')::uuid, 'Website', 'ab12') returning created_by$$,
  format('values (%L::uuid)', tests.person('Ada')), 'notes one, in the own name');
select throws_ok($$insert into certus.api_keys (account_id, name, hint) values (md5('diner')::uuid, 'Website', 'ab12')$$, '42501', null, 'none of another account');
select throws_ok($$insert into certus.api_keys (account_id, name, hint) values (md5('bistro')::uuid, 'Website', 'sk_live_51H8xT2eZvKYlo2C')$$, '23514', null,
  'a whole key does not fit');
select throws_ok($$insert into certus.api_keys (account_id, name, hint, last_used_at) values (md5('bistro')::uuid, 'X', 'ab12', now())$$, '42501', null, 'nobody says when it was used');
select is(tests.touched($$update certus.api_keys set revoked_at = now() where true$$), 2::bigint, 'revokes them');
select throws_ok($$update certus.api_keys set account_id = md5('diner')::uuid$$, '42501', null, 'moves none');
select is(tests.touched($$delete from certus.api_keys where name = 'Website'$$), 1::bigint, 'and forgets one');
-- acting as the organization's owner and admin
select tests.act_as('Olga');
select is((select count(*) from certus.api_keys), 1::bigint, 'the organization''s owner sees them');
select lives_ok($$insert into certus.api_keys (account_id, name, hint) values (md5('bistro')::uuid, 'Olga''s', 'ab12')$$, 'and notes one');
select tests.act_as('Adam');
select is(tests.touched($$delete from certus.api_keys where name = 'Olga''s'$$), 1::bigint, 'its admin forgets it');
-- acting as operators and the viewer
select tests.act_as(p), is((select count(*) from certus.api_keys), 0::bigint, p || ' sees none') from unnest(array['Otto', 'Oona', 'Vic', 'Mia']) p;
select tests.act_as('Otto');
select throws_ok($$insert into certus.api_keys (account_id, name, hint) values (md5('bistro')::uuid, 'X', 'ab12')$$, '42501', null, 'an operator notes none');
select is(tests.touched($$update certus.api_keys set name = 'X' where true$$), 0::bigint, 'changes none');
select is(tests.touched($$delete from certus.api_keys where true$$), 0::bigint, 'forgets none');
-- acting as a stranger and anonymous
select tests.act_as('Stranger');
select results_eq('select hint from certus.api_keys', $$values ('k3y5')$$, 'a stranger sees the own');
select throws_ok($$insert into certus.api_keys (account_id, name, hint) values (md5('bistro')::uuid, 'X', 'ab12')$$, '42501', null, 'notes none here');
select is(tests.touched($$update certus.api_keys set name = 'X' where hint = 'k3y4'$$), 0::bigint, 'changes none here');
select is(tests.touched($$delete from certus.api_keys where hint = 'k3y4'$$), 0::bigint, 'forgets none here');
select tests.act_as_anonymous();
select throws_ok('select from certus.api_keys', '42501', null, 'nobody reads them without signing in');
select tests.act_as_postgres();
select is((select count(*) from pg_attribute where attrelid = 'certus.api_keys'::regclass and attnum > 0 and attname ~ '(key|secret|hash|token)'),
  0::bigint, 'there is no column for a key');
select * from finish();
rollback;
