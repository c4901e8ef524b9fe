begin;
select plan(16);
select tests.create_restaurants();
create function pg_temp.allowed() returns uuid language sql as $$
  select certus.authorize_import(jsonb_build_object('account_id', md5('bistro')::uuid));
$$;
grant execute on function pg_temp.allowed to authenticated;
select tests.act_as('Olga');
select is(pg_temp.allowed(), md5('org')::uuid, 'the organization''s owner may import into its accounts');
select tests.act_as('Adam');
select is(pg_temp.allowed(), md5('org')::uuid, 'its admin may');
select tests.act_as('Ada');
select is(pg_temp.allowed(), md5('org')::uuid, 'the account''s admin may');
select tests.act_as('Otto');
select is(pg_temp.allowed(), null, 'an operator may not');
select tests.act_as('Vic');
select is(pg_temp.allowed(), null, 'a viewer may not');
select tests.act_as('Mia');
select is(pg_temp.allowed(), null, 'a member without a role may not');
select tests.act_as('Stranger');
select is(pg_temp.allowed(), null, 'a stranger may not');
select tests.act_as_anonymous();
select throws_ok('select certus.authorize_import(null)', '42501', null, 'nobody asks without signing in');
select tests.act_as('Ada');
select is(certus.authorize_import(s.scope), null, 'no scope: ' || coalesce(s.scope::text, 'null'))
from (values (null::jsonb), ('{}'), ('[]'), ('"x"'), ('{"account_id": null}'), ('{"account_id": "x"}'),
  ('{"account_id": {"id": 1}}'), (format('{"account_id": "%s"}', md5('nowhere')::uuid)::jsonb)) s (scope);
select * from finish();
rollback;
