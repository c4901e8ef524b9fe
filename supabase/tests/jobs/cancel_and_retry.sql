begin;
select plan(30);
select tests.create_engine_scene();

create temp table mine on commit drop as select tests.enqueue('Mia', 'import_check') as id, null::bigint as token;
grant all on mine to public;
create function pg_temp.call(p_verb text) returns text language sql as $$
  select format('select jobs.%s(%L)', p_verb, (select id from mine));
$$;

-- acting as others
select tests.act_as('Max');
select is(tests.error_code(pg_temp.call('cancel_job')), 'job_not_found', 'a colleague does not see the job to cancel it');
select is(tests.error_code(pg_temp.call('retry_job')), 'job_not_found', 'nor to retry it');
select tests.act_as('Adam');
select is(tests.error_code(pg_temp.call('cancel_job')), 'not_allowed', 'an admin sees it and may not cancel it');
select is(tests.error_code(pg_temp.call('retry_job')), 'not_allowed', 'nor retry it');
select tests.act_as('Stranger');
select is(tests.error_code(pg_temp.call('cancel_job')), 'job_not_found', 'a stranger does not see it');
select tests.act_as_anonymous();
select throws_ok(pg_temp.call('cancel_job'), '42501', null, 'nobody may call without signing in');
select tests.act_as_service();
select throws_ok(pg_temp.call('cancel_job'), '42501', null, 'nor may the service');

-- acting as the owner: a queued job
select tests.act_as('Mia');
select is((select jobs.cancel_job(id) ->> 'state' from mine), 'cancelled', 'a queued job is cancelled at once');
select is((select jobs.cancel_job(id) ->> 'state' from mine), 'cancelled', 'twice is once');
select is(tests.error_code(format('select jobs.cancel_job(%L)', md5('none')::uuid)), 'job_not_found', 'what is not there is not found');
select tests.act_as_postgres();
select is(tests.claim((select id from mine)), null, 'nobody claims it any more');
select tests.act_as('Mia');
select is((select jobs.retry_job(id) ->> 'state' from mine), 'queued', 'it can be retried');
select is(tests.error_code(pg_temp.call('retry_job')), 'invalid_request', 'but not while it is queued');

-- a running job
select tests.act_as_postgres();
update mine set token = tests.claim(id);
select jobs_private.checkpoint(id, token, '{"row": 5}') from mine;
select tests.act_as('Mia');
select is((select jobs.cancel_job(id) ->> 'state' from mine), 'cancelled', 'a running job is cancelled at once');
select tests.act_as_postgres();
select throws_ok(format('select jobs_private.checkpoint(%L, %s, ''{"row": 6}'')', id, token), 'LS002', null,
  'whoever runs it finds out by the next checkpoint') from mine;
select throws_ok(format('select jobs_private.heartbeat(%L, %s)', id, token), 'LS002', null, 'or heartbeat') from mine;
select throws_ok(format('select jobs_private.finish_job(%L, %s, ''{}'')', id, token), 'LS002', null, 'or at its end') from mine;
select throws_ok(format('select jobs_private.check_lease(%L, %s)', id, token), 'LS002', null, 'or when it asks') from mine;
select is((select j.error from jobs.jobs j), null, 'a cancelled job has no error');
select isnt((select j.finished_at from jobs.jobs j), null, 'but an end');

-- trying again
select tests.act_as('Mia');
select is((select jobs.retry_job(id) ->> 'attempt' from mine), '0', 'a retry has all attempts before it');
select tests.act_as_postgres();
select throws_ok(format('select jobs_private.checkpoint(%L, %s, ''{"row": 6}'')', id, token), 'LS001', null,
  'the old slice has lost its lease') from mine;
select is((select c.cursor from jobs_private.claim_job(null, 'a worker') c), '{"row": 5}', 'the cursor is kept');
select is((select j.attempt from jobs.jobs j), 1, 'it is the first attempt again');
select jobs_private.finish_job(s.job_id, s.token, '{}') from jobs_private.job_state s;
select tests.act_as('Mia');
select is(tests.error_code(pg_temp.call('retry_job')), 'invalid_request', 'what has succeeded is not retried');
select is((select jobs.cancel_job(id) ->> 'state' from mine), 'succeeded', 'nor cancelled');

-- what has expired
select tests.act_as_postgres();
update mine set id = tests.enqueue('Mia', 'import_check');
select tests.act_as('Mia');
select is((select jobs.cancel_job(id) ->> 'state' from mine), 'cancelled', 'a check is cancelled');
select tests.act_as_postgres();
select tests.later('8 days');
select tests.act_as('Mia');
select is(tests.error_code(pg_temp.call('retry_job')), 'expired', 'it cannot be retried once its rows are gone');

-- acting as an owner who has left the organization
select tests.act_as_postgres();
update mine set id = tests.enqueue('Mia', 'import_check');
delete from public.memberships where user_id = tests.person('Mia');
select tests.act_as('Mia');
select is(tests.error_code(pg_temp.call('cancel_job')), 'job_not_found', 'who has left does not see the job to cancel it');
select is(tests.error_code(pg_temp.call('retry_job')), 'job_not_found', 'nor to take slots of the organization by retrying it');
select * from finish();
rollback;
