begin;
select plan(47);
select tests.create_restaurants();

select is((select count(*) from pg_class c where c.relnamespace in ('certus'::regnamespace, 'certus_private'::regnamespace)
  and c.relkind in ('r', 'p') and not c.relrowsecurity), 0::bigint, 'row security is on for every table of "certus" and "certus_private"');
select is((select array_agg(c.relname order by c.relname) from pg_class c join pg_roles r on r.oid = c.relowner
  where c.relnamespace = 'certus'::regnamespace and c.relkind = 'v' and not 'security_invoker=true' = any (c.reloptions)
    and (r.rolbypassrls or r.rolsuper or not 'security_barrier=true' = any (c.reloptions))), null,
  'every view runs as the caller, or is a barrier that belongs to a role that row security binds');
select is((select array_agg(conrelid::regclass::text || '.' || conname) from pg_constraint k
  where contype = 'f' and connamespace in ('certus'::regnamespace, 'certus_private'::regnamespace)
    and not exists (select from pg_index i where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1])),
  null, 'every foreign key has an index');

-- acting as the organization's owner
select tests.act_as('Olga');
select results_eq('select name from certus.accounts', $$values ('Bistro')$$, 'an owner sees the organization''s accounts');
select results_eq('select code from certus.locations order by code', $$values ('MAYFAIR'), ('SOHO')$$, 'and their locations');
select results_eq(
  format($$insert into certus.accounts (org_id, name) values (%L, 'New') returning name$$, md5('org')::uuid),
  $$values ('New')$$, 'makes an account and gets it back');
select results_eq($$insert into certus.locations (account_id, code, name) select id, 'N1', 'New' from certus.accounts where name = 'New' returning code$$,
  $$values ('N1')$$, 'and a location in it');
select throws_ok(format($$insert into certus.accounts (org_id, name) values (%L, 'New')$$, md5('other')::uuid),
  '42501', null, 'but no account of another organization');
select is(tests.touched($$delete from certus.locations where code in ('N1', 'FAR')$$), 1::bigint, 'deletes own locations only');
select is(tests.touched($$delete from certus.accounts where name in ('New', 'Diner')$$), 1::bigint, 'and own accounts only');

-- acting as the organization's admin
select tests.act_as('Adam');
select is(tests.touched($$update certus.accounts set name = name where true$$), 1::bigint, 'an admin of the organization renames its accounts');
select is(tests.touched($$update certus.locations set name = name where true$$), 2::bigint, 'and their locations');
select throws_ok($$update certus.accounts set org_id = md5('other')::uuid$$, '42501', null, 'nobody moves an account to another organization');
select throws_ok($$update certus.locations set account_id = md5('diner')::uuid$$, '42501', null, 'nor a location to another account');

-- acting as the account's admin
select tests.act_as('Ada');
select results_eq('select name from certus.accounts', $$values ('Bistro')$$, 'the account''s admin sees it');
select throws_ok(format($$insert into certus.accounts (org_id, name) values (%L, 'New')$$, md5('org')::uuid), '42501', null, 'makes none');
select is(tests.touched($$update certus.accounts set currency = 'EUR' where true$$), 1::bigint, 'sets it up');
select is(tests.touched($$delete from certus.accounts where true$$), 0::bigint, 'but does not delete it');
select results_eq($$insert into certus.locations (account_id, code, name) values (md5('bistro')::uuid, 'N2', 'New') returning code$$,
  $$values ('N2')$$, 'makes a location and gets it back');
select throws_ok($$insert into certus.locations (account_id, code, name) values (md5('diner')::uuid, 'N2', 'New')$$, '42501', null,
  'but none in another account');
select is(tests.touched($$delete from certus.locations where code = 'N2'$$), 1::bigint, 'and deletes it');
select throws_ok($$insert into certus.locations (account_id, code, name, time_zone) values (md5('bistro')::uuid, 'N3', 'New', 'Mars/Base')$$,
  '22023', null, 'a time zone that nobody knows is refused');
select throws_ok($$insert into certus.locations (account_id, code, name) values (md5('bistro')::uuid, 'SOHO', 'New')$$,
  '23505', null, 'a code stands for one location');

-- acting as an operator of one location
select tests.act_as('Otto');
select results_eq('select name from certus.accounts', $$values ('Bistro')$$, 'an operator sees the account');
select results_eq('select code from certus.locations', $$values ('SOHO')$$, 'and the own location only');
select is(tests.touched($$update certus.accounts set name = 'Mine' where true$$), 0::bigint, 'renames no account');
select is(tests.touched($$update certus.locations set name = 'Mine' where true$$), 0::bigint, 'no location');
select is(tests.touched($$delete from certus.locations where true$$), 0::bigint, 'deletes none');
select throws_ok($$insert into certus.locations (account_id, code, name) values (md5('bistro')::uuid, 'N4', 'New')$$, '42501', null, 'and makes none');

-- acting as an operator of another location
select tests.act_as('Oona');
select results_eq('select code from certus.locations', $$values ('MAYFAIR')$$, 'another operator sees another location');

-- acting as the organization's viewer
select tests.act_as('Vic');
select is((select count(*) from certus.locations), 2::bigint, 'a viewer sees every location of the organization');
select is(tests.touched($$update certus.locations set name = 'Mine' where true$$), 0::bigint, 'changes none');
select is(tests.touched($$update certus.accounts set name = 'Mine' where true$$), 0::bigint, 'nor an account');
select is((select count(*) from certus.operable_locations()), 0::bigint, 'and works in none');

-- acting as a colleague without a role in the account
select tests.act_as('Mia');
select is((select count(*) from certus.accounts), 0::bigint, 'a member without a role sees no account');
select is((select count(*) from certus.locations), 0::bigint, 'and no location');

-- acting as a stranger
select tests.act_as('Stranger');
select results_eq('select name from certus.accounts', $$values ('Diner')$$, 'a stranger sees the own account only');
select results_eq('select code from certus.locations', $$values ('FAR')$$, 'and its locations only');
select is(tests.touched($$update certus.accounts set name = 'Mine' where name = 'Bistro'$$), 0::bigint, 'changes no other account');
select is(tests.touched($$delete from certus.locations where code = 'SOHO'$$), 0::bigint, 'deletes no other location');
select throws_ok($$insert into certus.locations (account_id, code, name) values (md5('bistro')::uuid, 'N5', 'New')$$, '42501', null, 'makes none there');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok('select from certus.accounts', '42501', null, 'nobody reads accounts without signing in');
select throws_ok('select from certus.locations', '42501', null, 'nor locations');
select throws_ok('select certus.caller_accounts()', '42501', null, 'nor asks the helpers');

select tests.act_as_postgres();
select throws_ok($$delete from certus.accounts where id = md5('bistro')::uuid$$, '23503', null, 'an account that has locations cannot be deleted');
select tests.create_restaurant_logs();
select throws_ok($$delete from certus.locations where id = md5('soho')::uuid$$, '23503', null, 'nor a location that has calls');
select is((select array_agg(distinct r.rolname::text order by r.rolname::text) from pg_auth_members m join pg_roles r on r.oid = m.member
  where m.roleid = 'certus_reader'::regrole), array['postgres'], 'nobody may become the views'' owner');

select * from finish();
rollback;
