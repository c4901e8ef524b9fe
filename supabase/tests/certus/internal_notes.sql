begin;
select plan(34);
select tests.create_restaurants();
select tests.create_restaurant_logs();

create function pg_temp.note(p_location text, variadic p_mentions text[] default '{}') returns text language sql as $$
  select format($q$insert into certus.internal_notes (account_id, location_id, call_id, body, mentions)
    values (md5('bistro')::uuid, md5(%1$L)::uuid, md5('call ' || upper(%1$L))::uuid, 'Call back', %2$L)$q$, p_location,
    array(select tests.person(m) from unnest(p_mentions) m));
$$;
grant execute on function pg_temp.note to authenticated, anon;

-- acting as an operator of the location
select tests.act_as('Otto');
select is((select count(*) from certus.internal_notes), 1::bigint, 'an operator sees the notes of the own location');
select lives_ok(pg_temp.note('soho'), 'writes one');
select is((select author_id from certus.internal_notes where body = 'Call back'), tests.person('Otto'), 'in the own name');
select throws_ok(pg_temp.note('mayfair'), '42501', null, 'but none elsewhere');
select lives_ok(pg_temp.note('soho', 'Ada', 'Olga', 'Vic', 'Otto'), 'mentions people who read the location');
select throws_ok(pg_temp.note('soho', 'Oona'), '23514', null, 'but no operator of another location');
select throws_ok(pg_temp.note('soho', 'Mia'), '23514', null, 'no member without a role');
select throws_ok(pg_temp.note('soho', 'Ada', 'Stranger'), '23514', null, 'no stranger');
select throws_ok(pg_temp.note('soho', 'Nobody'), '23514', null, 'and nobody who does not exist');
select throws_ok($$insert into certus.internal_notes (account_id, location_id, author_id, body) values (md5('bistro')::uuid, md5('soho')::uuid, md5('x')::uuid, 'X')$$,
  '42501', null, 'nobody writes in another''s name');
select is(tests.touched($$update certus.internal_notes set body = 'Changed' where true$$), 2::bigint, 'changes own ones only');
select throws_ok(format($$update certus.internal_notes set mentions = array[%L]::uuid[] where body = 'Changed'$$, tests.person('Oona')),
  '23514', null, 'a change mentions nobody else either');
select throws_ok($$update certus.internal_notes set location_id = md5('mayfair')::uuid$$, '42501', null, 'and moves none');
select throws_ok($$insert into certus.internal_notes (account_id, location_id, body) values (md5('bistro')::uuid, md5('soho')::uuid, ' ')$$, '23514', null, 'a note says something');
select throws_ok($$insert into certus.internal_notes (account_id, location_id, call_id, body) values (md5('bistro')::uuid, md5('soho')::uuid, md5('call MAYFAIR')::uuid, 'X')$$,
  '23503', null, 'of a call of its location');

-- acting as an operator of another location
select tests.act_as('Oona');
select is((select count(*) from certus.internal_notes), 1::bigint, 'another operator sees the notes of another location');
select is(tests.touched($$update certus.internal_notes set body = 'Mine' where true$$), 0::bigint, 'changes none that others wrote');
select is(tests.touched($$delete from certus.internal_notes where true$$), 0::bigint, 'deletes none that others wrote');

-- acting as those who have the account
select tests.act_as('Ada');
select is((select count(*) from certus.internal_notes), 4::bigint, 'the account''s admin sees all');
select lives_ok(pg_temp.note('mayfair', 'Oona'), 'writes anywhere in it');
select is(tests.touched($$update certus.internal_notes set body = 'Ada''s' where body = 'Changed'$$), 0::bigint, 'puts no words into others'' mouths');
select tests.act_as('Olga');
select is((select count(*) from certus.internal_notes), 5::bigint, 'so does the organization''s owner');
select lives_ok(pg_temp.note('soho'), 'who writes too');
select tests.act_as('Adam');
select is(tests.touched(format('delete from certus.internal_notes where author_id = %L', tests.person('Olga'))), 1::bigint, 'and its admin, who may delete');
select tests.act_as('Vic');
select is((select count(*) from certus.internal_notes), 5::bigint, 'a viewer sees all');
select throws_ok(pg_temp.note('soho'), '42501', null, 'and writes none');
select is(tests.touched($$delete from certus.internal_notes where true$$), 0::bigint, 'nor deletes one');

-- acting as a stranger and anonymous
select tests.act_as('Stranger');
select is((select count(*) from certus.internal_notes), 1::bigint, 'a stranger sees the own account''s');
select throws_ok(pg_temp.note('soho'), '42501', null, 'writes none here');
select is(tests.touched($$update certus.internal_notes set body = 'Mine' where account_id = md5('bistro')::uuid$$), 0::bigint, 'changes none here');
select is(tests.touched($$delete from certus.internal_notes where account_id = md5('bistro')::uuid$$), 0::bigint, 'deletes none here');
select tests.act_as_anonymous();
select throws_ok('select from certus.internal_notes', '42501', null, 'nobody reads notes without signing in');

-- acting as an operator whose location was taken away
select tests.act_as_postgres();
delete from certus.member_locations where user_id = tests.person('Otto');
select tests.act_as('Otto');
select is((select count(*) from certus.internal_notes), 0::bigint, 'without the location the notes are gone');
select is(tests.touched($$delete from certus.internal_notes where true$$), 0::bigint, 'the own ones too');
select * from finish();
rollback;
