-- What a signed-in person may ask of enqueue_job() past the Edge Functions, which check more and allow less.
begin;
select plan(15);
select tests.create_people('Mia', 'Nora');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('other')::uuid, tests.person('Nora'), 'owner');
insert into jobs.jobs (id, kind, org_id, owner_id, state, result, finished_at)
values (md5('check')::uuid, 'import_check', md5('other')::uuid, tests.person('Nora'), 'succeeded', '{}', jobs.now());

create function pg_temp.code(
  p_kind text, p_org text, p_params jsonb default '{}', p_parent uuid default null, p_key text default null,
  p_hash text default null
) returns text language sql as $$
  select tests.error_code(format('select jobs.enqueue_job(%L, %L, %L, %L, %L, %L, %L)',
    case p_kind when 'import_check' then 'import' when 'import_commit' then 'import-commit' else p_kind end,
    p_kind, md5(p_org)::uuid, p_params, p_parent, p_key, p_hash));
$$;

-- acting as a member
select tests.act_as('Mia');
select is(pg_temp.code('import_check', 'other'), 'not_allowed', 'no job for an organization of others');
select is(pg_temp.code('import_check', 'org', '[1]'), 'invalid_request', 'params are an object');
select is(pg_temp.code('import_check', 'org', jsonb_build_object('x', repeat('x', 100001))), 'invalid_request', 'of a sane size');
select is(pg_temp.code('import_check', 'org', '{}', null, repeat('k', 1001), 'h'), 'invalid_request', 'and so is a key');
select is(pg_temp.code('import_check', 'org', '{}', null, 'k', repeat('h', 1001)), 'invalid_request', 'and a hash');
select is(pg_temp.code('import_check', 'org', '{}', md5('check')::uuid), 'invalid_request',
  'a check has no parent: it would keep the staging of another''s check');
select is(pg_temp.code('import_check', 'org', '{}', md5('nothing')::uuid), 'invalid_request',
  'and whether a job of that id exists is not told');
select is(pg_temp.code('import_commit', 'org', '{}', md5('check')::uuid), 'job_not_found', 'nobody commits another''s check');
select is(pg_temp.code('import_commit', 'org'), 'job_not_found', 'nor a check of nobody');
select is(pg_temp.code('refresh', 'org'), 'invalid_request', 'a kind belongs to its function');
select is(pg_temp.code('import_check', 'org', jsonb_build_object('x', repeat('x', 90000))), null, 'everything else is a job');

-- a commit that names another's check in its params
select tests.act_as_postgres();
insert into jobs.jobs (id, kind, org_id, owner_id, state, parent_id, params)
select md5('own check')::uuid, 'import_check', md5('org')::uuid, tests.person('Mia'), 'queued', null::uuid, '{}'::jsonb
union all
select md5('commit')::uuid, 'import_commit', md5('org')::uuid, tests.person('Mia'), 'queued', md5('own check')::uuid,
  jsonb_build_object('import_id', md5('check')::uuid);
select throws_ok(format('select jobs_private.check_import(%L, %L)', md5('commit')::uuid, md5('check')::uuid), 'LS004', null,
  'it is held to the check that the engine has found');
select lives_ok(format('select jobs_private.check_import(%L, %L)', md5('commit')::uuid, md5('own check')::uuid),
  'which it may work on');

-- acting as a member of two organizations who leaves one
select tests.act_as_postgres();
insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Mia'), 'member');
select tests.act_as('Mia');
select is(pg_temp.code('import_check', 'other', '{}', null, 'left', 'h'), null, 'a job under a key');
select tests.act_as_postgres();
delete from public.memberships where org_id = md5('other')::uuid and user_id = tests.person('Mia');
select tests.act_as('Mia');
select is(pg_temp.code('import_check', 'org', '{}', null, 'left', 'h'), 'idempotency_conflict',
  'the key brings it back for no other organization');
select * from finish();
rollback;
