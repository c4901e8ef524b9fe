begin;
select plan(9);
select tests.create_people('Ada');

-- acting as a person
select tests.act_as('Ada');
select is((public.create_organization('  Northside Piping ')).name, 'Northside Piping', 'the organization comes back, its name trimmed');
select results_eq(
  'select m.role, m.user_id from public.memberships m',
  format($$values ('owner', %L::uuid)$$, tests.person('Ada')),
  'the caller is its owner and only member');
select isnt((public.create_organization('Northside Piping')).id, null, 'names need not be unique');
select is(tests.error_code($$select public.create_organization(' ')$$), 'invalid_request', 'a blank name is refused');
select is(tests.error_code($$select public.create_organization(null)$$), 'invalid_request', 'no name is refused');
select is(tests.error_code(format('select public.create_organization(%L)', repeat('x', 201))), 'invalid_request',
  'a name of 201 characters is refused');
select is((select count(*) from public.organizations), 2::bigint, 'what was refused left nothing behind');

-- acting as somebody whose token has no person
set local request.jwt.claims = '{"role": "authenticated"}';
select is(tests.error_code($$select public.create_organization('Nobody')$$), 'not_authenticated', 'a token without a person is refused');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok($$select public.create_organization('Nobody')$$, '42501', null, 'nobody does so without signing in');

select * from finish();
rollback;
