-- A function that is missing or broken must not keep the slots of its jobs from everybody else.
begin;
select plan(7);
update jobs_private.staging_slots set job_id = null, owner_id = null;
delete from jobs.jobs;
delete from net.http_request_queue;
delete from vault.secrets where name in ('longshore_functions_url', 'longshore_secret_key');
select vault.create_secret('http://functions.test', 'longshore_functions_url');
select vault.create_secret('sb_secret_test', 'longshore_secret_key');
select set_config('longshore.now', '2030-01-01 12:00:00+00', true);
select tests.create_people('Mia');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org');
insert into public.memberships (org_id, user_id, role) values (md5('org')::uuid, tests.person('Mia'), 'member');
update jobs.settings set running_per_org = 1, running_in_all = 1;

create function pg_temp.insert_job(p_name text, p_kind text, p_function text) returns void language sql as $$
  insert into jobs.jobs (id, kind, org_id, owner_id, created_at)
  values (md5(p_name)::uuid, p_kind, md5('org')::uuid, tests.person('Mia'), jobs.now());
  insert into jobs_private.job_state (job_id, function_name, owner_id) values (md5(p_name)::uuid, p_function, tests.person('Mia'));
$$;
create function pg_temp.told_after(p_interval interval) returns text language plpgsql as $$
begin
  perform set_config('longshore.now', (jobs.now() + p_interval)::text, true);
  delete from net.http_request_queue;
  perform jobs_private.dispatch();
  return (select string_agg(substr(q.url, 23), ' ') from net.http_request_queue q);
end
$$;

select pg_temp.insert_job('silent', 'export', 'export');
select is(pg_temp.told_after('0 s'), 'export', 'the function of the oldest job is told');
select pg_temp.insert_job('good', 'import_check', 'import');
select is(pg_temp.told_after('5 s'), null, 'nobody else while it is about to start');
select is(pg_temp.told_after('6 s'), 'export', 'and once more');
select is(pg_temp.told_after('11 s'), 'import', 'but not every time: the next one has its turn');
select is(pg_temp.told_after('11 s'), 'export', 'then it is told again, since a broken function may be mended');

-- an answer, though there was no slot
update jobs.jobs set state = 'running' where id = md5('good')::uuid;
select is((select count(*)::int from jobs_private.claim_job(null, 'a worker', md5('silent')::uuid)), 0, 'a claim that comes too late');
select is((select s.unanswered from jobs_private.job_state s where s.job_id = md5('silent')::uuid), 0, 'is an answer');

select * from finish();
rollback;
