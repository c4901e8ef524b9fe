begin;
select plan(43);
select tests.create_engine_scene();

select is(jobs_private.has_work(), false, 'there is nothing to do at first');

-- lost leases
create temp table lost on commit drop as select tests.enqueue('Mia', 'import_check') as id, null::bigint as token;
update lost set token = tests.claim();
select is(jobs_private.has_work(), false, 'a running job is left alone');
select is((jobs_private.tick() - 'files'), '{"dispatched": 0, "recovered": 0, "expired": 0, "purged": 0}'::jsonb, 'by the tick too');
select tests.later('61 s');
select is(jobs_private.has_work(), true, 'a lease that is over is work');
select is(jobs_private.tick() ->> 'recovered', '1', 'the tick recovers it');
select is(tests.job_state((select id from lost)), 'queued', 'the job is queued again');
select throws_ok(format('select jobs_private.heartbeat(%L, %s)', id, token), 'LS001', null, 'its holder has lost it') from lost;
select is(tests.claim(), null, 'it waits a while');
select is((select count(*)::int from jobs_private.job_state s where s.run_after between jobs.now() + interval '3.75 s' and jobs.now() + interval '6.25 s'),
  1, 'about five seconds');
update jobs.jobs set max_attempts = 2;
select tests.later('10 s');
update lost set token = tests.claim();
select is((select j.attempt from jobs.jobs j), 2, 'a lost lease costs an attempt');
select tests.later('59 s');
select jobs_private.heartbeat(id, token) from lost;
select tests.later('59 s');
select is(jobs_private.tick() ->> 'recovered', '0', 'a lease that was renewed is not over');
select tests.later('2 s');
select is(jobs_private.tick() ->> 'recovered', '1', 'until it is');
select is(tests.job_state((select id from lost)), 'failed', 'the last attempt fails the job');
select is((select j.error ->> 'code' from jobs.jobs j), 'internal', 'with a code');

-- telling functions to go on
delete from jobs.jobs;
delete from net.http_request_queue;
delete from vault.secrets where name in ('longshore_functions_url', 'longshore_secret_key');
create temp table waiting on commit drop as
select tests.enqueue('Mia') as a, tests.enqueue('Mia', 'import_check') as b, tests.enqueue('Mia') as c;
update jobs.jobs set created_at = jobs.now() + interval '1 s' from waiting where jobs.id = waiting.c;
select is(jobs_private.has_work(), true, 'jobs that wait are work');
select is(jobs_private.tick() ->> 'dispatched', '0', 'without an address nobody is told');
select is(jobs_private.tick_if_needed(), false, 'not even the tick');
select vault.create_secret('http://functions.test', 'longshore_functions_url');
select vault.create_secret('sb_secret_test', 'longshore_secret_key');
select is(jobs_private.tick() ->> 'dispatched', '2', 'as many are told as there are slots for their organization');
create function pg_temp.told() returns setof text language sql as $$
  select q.url || ' ' || (convert_from(q.body, 'UTF8')::jsonb ->> 'job_id') || ' ' || (q.headers ->> 'apikey')
  from net.http_request_queue q;
$$;
select set_eq('select pg_temp.told()', array[
    'http://functions.test/export ' || (select a from waiting) || ' sb_secret_test',
    'http://functions.test/import ' || (select b from waiting) || ' sb_secret_test'
  ], 'each by its own function, with the key');
select is(jobs_private.has_work(), false, 'they are about to start');
select is(jobs_private.tick() ->> 'dispatched', '0', 'and are not told again at once');
select tests.later('11 s');
select is(jobs_private.has_work(), true, 'a message that got lost');
delete from net.http_request_queue;
select is(jobs_private.tick_if_needed(), true, 'makes the tick run');
select is((select q.url from net.http_request_queue q), 'http://functions.test/jobs-tick', 'in its function');
select is(jobs_private.tick() ->> 'dispatched', '2', 'which tells them again');
delete from net.http_request_queue;
select jobs_private.finish_job((select a from waiting), tests.claim((select a from waiting)), '{}');
select is((select array_agg(t) from pg_temp.told() t), array['http://functions.test/export ' || (select c from waiting) || ' sb_secret_test'],
  'a job that ends hands its slot to the next');

-- what has outlived its use
delete from jobs.jobs;
create temp table old on commit drop as select tests.enqueue('Mia', 'import_check') as check_id, null::uuid as commit_id;
select jobs_private.finish_job(check_id, tests.claim(check_id), '{}') from old;
update old set commit_id = tests.enqueue('Mia', 'import_commit', p_parent => check_id);
select tests.later('8 days');
select is(jobs_private.tick() ->> 'expired', '0', 'a check is kept while its commit is not done');
select jobs_private.finish_job(commit_id, tests.claim(commit_id), '{}') from old;
select is(jobs_private.has_work(), true, 'then its rows are dropped');
select is(jobs_private.tick() ->> 'expired', '1', 'by the tick');
select is(jobs_private.tick() ->> 'expired', '0', 'once');

insert into storage.objects (bucket_id, name, version, metadata)
select 'exports', md5('org')::uuid || '/' || commit_id || '/problems.csv', 'v', '{}' from old;
select is((jobs_private.tick() -> 'files'), '[]'::jsonb, 'files are kept for a week');
select tests.later('8 days');
select is((jobs_private.tick() -> 'files' -> 0 ->> 'path'), md5('org')::uuid || '/' || commit_id || '/problems.csv',
  'then the tick says which to delete') from old;
select is(jsonb_array_length(jobs_private.tick() -> 'files'), 1, 'until they are gone');
select jobs_private.files_deleted(array[commit_id]) from old;
select is((jobs_private.tick() -> 'files'), '[]'::jsonb, 'and no longer');

insert into jobs.import_problems (job_id, row, code, message) select check_id, 2, 'required', 'Found nothing' from old;
select tests.later('70 days');
select is(jobs_private.tick() ->> 'purged', '0', 'jobs are kept');
select tests.later('20 days');
select is(jobs_private.tick() ->> 'purged', '2', 'for ninety days');
select is((select count(*)::int from jobs.import_problems), 0, 'problems as long as their job');
select is(jobs_private.has_work(), false, 'and nothing is left to do');

-- what a failed check has seen
create temp table failed on commit drop as select tests.enqueue('Mia', 'import_check') as id, null::bigint as token;
update failed set token = tests.claim(id);
select jobs_private.checkpoint(id, token, '{"preview": [{"phone": "+44 7700"}]}') from failed;
select jobs_private.fail_job(id, token, '{"code": "too_many_problems", "message": "", "details": null}', false) from failed;
select tests.later('6 days');
select is(jobs_private.tick() ->> 'expired', '0', 'a failed check is kept while it may be retried');
select isnt((select s.cursor from jobs_private.job_state s join failed on job_id = id), null, 'with what it would go on from');
select tests.later('2 days');
select is(jobs_private.tick() ->> 'expired', '1', 'and no longer');
select is((select s.cursor from jobs_private.job_state s join failed on job_id = id), null, 'then its cursor goes, preview and all');
grant select on failed to authenticated;
select tests.act_as('Mia');
select throws_like(format('select jobs.retry_job(%L)', id), '%expired%', 'and it cannot be retried') from failed;
select tests.act_as_postgres();

select * from finish();
rollback;
