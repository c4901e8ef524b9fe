begin;
select plan(32);
select tests.create_engine_scene();

-- what a slice gets
create temp table first_job on commit drop as select tests.enqueue('Mia') as id;
create temp table claimed on commit drop as
select * from jobs_private.claim_job(array['export'], 'a worker');
select is((select (job ->> 'id')::uuid from claimed), (select id from first_job), 'a queued job is claimed');
select is((select job ->> 'state' from claimed), 'running', 'it is running');
select is((select job ->> 'attempt' from claimed), '1', 'in its first attempt');
select is((select job -> 'params' from claimed), '{"asked": true}', 'with its parameters');
select is((select owner_claims - 'aud' - 'user_metadata' from claimed),
  jsonb_build_object('sub', tests.person('Mia'), 'role', 'authenticated', 'aal', 'aal1', 'email', tests.email('Mia'),
    'is_anonymous', false, 'app_metadata', '{}'::jsonb), 'with the claims of its owner');
select is((select (settings ->> 'chunk_rows')::int from claimed), 5000, 'and the settings');
select is(tests.claim(), null, 'a running job is not claimed again');
select is(tests.claim((select id from first_job)), null, 'not by name either');
select is((select s.lease_expires_at from jobs_private.job_state s), jobs.now() + interval '60 s', 'the lease ends');

-- attempts
select jobs_private.release_job((select id from first_job), (select token from claimed), '{"at": 1}');
select isnt(tests.claim(), (select token from claimed), 'every claim has a token of its own');
select is((select j.attempt from jobs.jobs j), 1, 'a slice that ended early costs no attempt');
select is((select s.cursor from jobs_private.job_state s), '{"at": 1}', 'and its cursor is kept');
select jobs_private.fail_job((select id from first_job), (select s.token from jobs_private.job_state s),
  '{"code": "internal", "message": "Cannot", "details": null}', true);
select is(tests.claim(), null, 'a failed attempt waits');
select tests.later('7 s');
select isnt(tests.claim(), null, 'not for ever');
select is((select j.attempt from jobs.jobs j), 2, 'and is counted');

-- limits and turns
delete from jobs.jobs;
update jobs.settings set running_in_all = 3;
create temp table queue on commit drop as
select n, tests.enqueue('Mia') as id from generate_series(1, 3) n;
select tests.later('1 s');
insert into queue select 4, tests.enqueue('Nora', p_org => 'other');
update jobs.jobs j set created_at = jobs.now() + make_interval(secs => q.n) from queue q where q.id = j.id;
create function pg_temp.claim_turn() returns int language plpgsql as $$
declare
  v_id uuid := (select c.job ->> 'id' from jobs_private.claim_job(null, 'a worker') c);
begin
  return (select q.n from queue q where q.id = v_id);
end
$$;
delete from jobs_private.tenants;
select is(pg_temp.claim_turn(), 1, 'the oldest job is the first');
select is(pg_temp.claim_turn(), 4, 'then it is the other organization''s turn');
select is(pg_temp.claim_turn(), 2, 'an organization may have two running jobs');
update jobs.settings set running_in_all = 8;
select is(tests.claim((select id from queue where n = 3)), null, 'but no third, not even by name');
update jobs.settings set running_in_all = 3, running_per_org = 8;
select is(tests.claim((select id from queue where n = 3)), null, 'three may run in all, by name too');
update jobs.settings set running_per_org = 2;
select jobs_private.finish_job(s.job_id, s.token, '{}') from jobs_private.job_state s
where s.job_id = (select id from queue where n = 1);
select tests.enqueue('Nora', p_org => 'other') from generate_series(1, 2);
select isnt(tests.claim(), null, 'a free slot is taken');
select is(tests.claim(), null, 'three may run in all');
select is((select count(*)::int from jobs.jobs where state = 'running'), 3, 'and three do');

-- whose turn it is after one another
select jobs_private.finish_job(s.job_id, s.token, '{}') from jobs_private.job_state s where s.token is not null;
select is((select count(*)::int from jobs.jobs where state = 'running'), 0, 'all slots are free');
update jobs_private.tenants set last_claim_at = jobs.now() - case org_id when md5('org')::uuid then interval '1 s' else interval '9 s' end;
select is((select j.org_id from jobs_private.waiting_jobs(jobs.now()) w join jobs.jobs j on j.id = w limit 1), md5('other')::uuid,
  'among equals the one that waited longest comes first');
select is((select count(*)::int from jobs_private.waiting_jobs(jobs.now(), array['refresh'])), 0, 'only the kinds asked for');

-- an owner who is gone
delete from jobs.jobs;
create temp table orphan on commit drop as select tests.enqueue('Mia') as id;
update auth.users set banned_until = jobs.now() + interval '1 h' where id = tests.person('Mia');
select is(tests.claim(), null, 'the job of somebody banned is not claimed');
select is(tests.job_state((select id from orphan)), 'failed', 'it fails');
select is((select j.error ->> 'code' from jobs.jobs j), 'not_allowed', 'and says why');
select throws_ok(format('select jobs_private.owner_claims(%L)', (select id from orphan)), 'LS003', null,
  'nobody gets the claims of somebody banned');
update auth.users set banned_until = null, deleted_at = now() where id = tests.person('Mia');
select throws_ok(format('select jobs_private.owner_claims(%L)', (select id from orphan)), 'LS003', null,
  'nor of somebody deleted');
update auth.users set deleted_at = null, raw_app_meta_data = '{"plan": "pro"}' where id = tests.person('Mia');
select is((select jobs_private.owner_claims(id) -> 'app_metadata' from orphan), '{"plan": "pro"}',
  'claims are those of this moment');

select * from finish();
rollback;
