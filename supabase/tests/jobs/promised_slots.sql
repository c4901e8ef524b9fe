-- A free slot belongs to the job whose function was told, not to whoever asks first.
begin;
select plan(9);
select tests.create_engine_scene();
delete from vault.secrets where name in ('longshore_functions_url', 'longshore_secret_key');
select vault.create_secret('http://functions.test', 'longshore_functions_url');
select vault.create_secret('sb_secret_test', 'longshore_secret_key');

-- between organizations
update jobs.settings set running_in_all = 1;
create temp table jobs_of on commit drop as
select tests.enqueue('Mia') as first, null::uuid as second, null::uuid as others, null::bigint as token;
update jobs_of set token = tests.claim(first);
update jobs_of set others = tests.enqueue('Nora', p_org => 'other');
select is(tests.claim(others), null, 'a job waits for the only slot') from jobs_of;
select jobs_private.finish_job(first, token, '{}') from jobs_of;
update jobs_of set second = tests.enqueue('Mia');
select is(tests.claim(second), null, 'who asks in the moment after does not get the slot') from jobs_of;
update jobs_of set token = tests.claim(others);
select isnt(token, null, 'but who has waited does, and was told') from jobs_of;
select jobs_private.finish_job(others, token, '{}') from jobs_of;
select isnt(tests.claim(second), null, 'then it is the turn of the other') from jobs_of;

-- within an organization
delete from jobs.jobs;
update jobs.settings set running_in_all = 8, running_per_org = 1;
update jobs_of set first = tests.enqueue('Mia');
update jobs_of set token = tests.claim(first);
update jobs_of set second = tests.enqueue('Max');
select jobs_private.finish_job(first, token, '{}') from jobs_of;
update jobs_of set first = tests.enqueue('Mia');
select is(tests.claim(first), null, 'nor does a colleague who asks again') from jobs_of;
update jobs_of set others = tests.enqueue('Nora', p_org => 'other');
select isnt(tests.claim(others), null, 'what is promised in one organization is free in another') from jobs_of;

-- a promise that nobody takes up
select tests.later('11 s');
select isnt(tests.claim(first), null, 'a function that does not answer holds its slot for a moment only') from jobs_of;

-- more promises than slots, as after the limit was lowered
delete from jobs.jobs;
update jobs_of set first = tests.enqueue('Mia');
update jobs_of set second = tests.enqueue('Max');
select jobs_private.nudge(first), jobs_private.nudge(second) from jobs_of;
select isnt(tests.claim(second), null, 'two that were told do not wait for each other') from jobs_of;
select is(tests.claim(first), null, 'and the limit holds') from jobs_of;

select * from finish();
rollback;
