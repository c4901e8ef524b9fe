begin;
select plan(53);
select tests.create_engine_scene();

create temp table held on commit drop as select tests.enqueue('Mia', 'import_check') as id, null::bigint as token;
update held set token = tests.claim();
create function pg_temp.stale(p_verb text, p_arguments text default '') returns text language sql as $$
  select format('select jobs_private.%s(%L, %s%s)', p_verb, (select id from held), (select token from held), p_arguments);
$$;

-- going on
select tests.later('50 s');
select lives_ok(pg_temp.stale('heartbeat'), 'the holder renews the lease');
select is((select s.lease_expires_at from jobs_private.job_state s), jobs.now() + interval '60 s', 'by its full length');
select tests.later('50 s');
select lives_ok(pg_temp.stale('checkpoint', $$, '{"row": 5}', '{"done": 5}'$$), 'the holder saves its cursor');
select is((select s.lease_expires_at from jobs_private.job_state s), jobs.now() + interval '60 s', 'which renews the lease');
select is((select s.cursor from jobs_private.job_state s), '{"row": 5}', 'the cursor is there');
select is((select j.progress from jobs.jobs j), '{"done": 5}', 'so is the progress');

-- progress, not too often
select tests.later('499 ms');
select lives_ok(pg_temp.stale('checkpoint', $$, '{"row": 6}', '{"done": 6}'$$), 'progress may come at any time');
select is((select j.progress from jobs.jobs j), '{"done": 5}', 'it is not shown more than twice a second');
select is((select j.version from jobs.jobs j), 3::bigint, 'nor sent');
select is((select s.cursor from jobs_private.job_state s), '{"row": 6}', 'while the cursor always counts');
select tests.later('1 ms');
select lives_ok(pg_temp.stale('heartbeat'), 'the next heartbeat');
select is((select j.progress from jobs.jobs j), '{"done": 6}', 'shows what was held back');
select lives_ok(pg_temp.stale('heartbeat', $$, '{"done": 7}'$$), 'more progress at once');
select lives_ok(pg_temp.stale('release_job', $$, '{"row": 7}'$$), 'the holder gives the job back');
select is((select j.progress from jobs.jobs j), '{"done": 7}', 'a change of state shows the latest progress');
select is(tests.job_state((select id from held)), 'queued', 'the job waits');
select is((select s.token from jobs_private.job_state s), null, 'and nobody holds it');

-- a stale token
select throws_ok(pg_temp.stale('heartbeat'), 'LS001', null, 'a stale token renews nothing');
select throws_ok(pg_temp.stale('heartbeat', $$, '{"done": 1}'$$), 'LS001', null, 'and shows nothing');
select throws_ok(pg_temp.stale('check_lease'), 'LS001', null, 'it is told so when it asks');
select isnt(tests.claim(), null, 'another slice claims the job');
select throws_ok(pg_temp.stale('checkpoint', $$, '{"row": 1}'$$), 'LS001', null, 'a stale token saves nothing');
select throws_ok(pg_temp.stale('release_job'), 'LS001', null, 'releases nothing');
select throws_ok(pg_temp.stale('finish_job', $$, '{}'$$), 'LS001', null, 'finishes nothing');
select throws_ok(pg_temp.stale('fail_job', $$, '{"code": "a", "message": "b"}', false$$), 'LS001', null, 'fails nothing');
select throws_ok(format('select jobs_private.heartbeat(%L, null)', (select id from held)), 'LS001', null, 'no token is none');
select throws_ok(format('select jobs_private.heartbeat(%L, 1)', md5('none')::uuid), 'LS001', null, 'no job is none');

-- the isolate ends
select jobs_private.release_job((select id from held), (select s.token from jobs_private.job_state s));
create function pg_temp.cut_off(p_saves boolean, p_cursor jsonb default null) returns jobs.jobs language plpgsql as $$
declare
  v_token bigint := tests.claim();
  v_job jobs.jobs;
begin
  if p_saves then perform jobs_private.checkpoint((select id from held), v_token, '{"row": 8}'); end if;
  perform jobs_private.release_job((select id from held), v_token, p_cursor, p_cut_off => true);
  select * into v_job from jobs.jobs j where j.id = (select id from held);
  return v_job;
end
$$;
select is((pg_temp.cut_off(true, '{"row": 1}')).state, 'queued', 'a slice that has saved a cursor is cut off');
select is((select s.cursor from jobs_private.job_state s), '{"row": 8}', 'what it had in mind is not put in its place');
select is((pg_temp.cut_off(false, '{"row": 8, "cut_offs": 1}')).attempt, 1, 'the next one is the same attempt');
select is((select s.cursor from jobs_private.job_state s), '{"row": 8, "cut_offs": 1}', 'one that had saved nothing leaves word');
select is((select s.cut_offs from jobs_private.job_state s), 0, 'and counts for nothing');
update jobs.jobs set max_attempts = 3;
select pg_temp.cut_off(false), pg_temp.cut_off(false);
select is((select s.cut_offs from jobs_private.job_state s), 2, 'those that had neither are counted');
select is((pg_temp.cut_off(true)).state, 'queued', 'one that has saved something comes in between');
select is((select s.cut_offs from jobs_private.job_state s), 0, 'and only those in a row count');
select is((select j.attempt from jobs.jobs j), 1, 'no attempt is used up');
select pg_temp.cut_off(false), pg_temp.cut_off(false);
select is((pg_temp.cut_off(false)).state, 'failed', 'too many in a row end the job');
select is((select j.error ->> 'code' from jobs.jobs j), 'internal', 'with an error');
select is((select s.token from jobs_private.job_state s), null, 'and nobody holds it');

delete from jobs.jobs;
update held set id = tests.enqueue('Mia', 'import_check');
update held set token = tests.claim();

-- the end
update held set token = (select s.token from jobs_private.job_state s);
select lives_ok(pg_temp.stale('finish_job', $$, '{"valid": 7}'$$), 'the holder finishes the job');
select is(tests.job_state((select id from held)), 'succeeded', 'it has succeeded');
select is((select j.result from jobs.jobs j), jsonb_build_object('valid', 7, 'expires_at', jobs.now() + interval '7 days'),
  'a check says when it expires');
select is((select j.finished_at from jobs.jobs j), jobs.now(), 'it says when');
select throws_ok(pg_temp.stale('finish_job', $$, '{}'$$), 'LS001', null, 'a job ends once');

-- failing
delete from jobs.jobs;
update held set id = tests.enqueue('Mia');
update held set token = tests.claim();
select lives_ok(pg_temp.stale('fail_job', $$, '{"code": "empty_file", "message": "Cannot read", "details": null}', false$$),
  'the holder fails the job for good');
select is(tests.job_state((select id from held)), 'failed', 'it has failed');
select is((select j.error ->> 'code' from jobs.jobs j), 'empty_file', 'with its code');

-- failing again and again
delete from jobs.jobs;
update held set id = tests.enqueue('Mia', 'import_check');
create temp table waits (attempt int, seconds numeric) on commit drop;
create function pg_temp.fail_once() returns void language plpgsql as $$
declare
  v_from timestamptz := jobs.now();
begin
  perform jobs_private.checkpoint((select id from held), tests.claim(), '{"row": 3}');
  perform jobs_private.fail_job(s.job_id, s.token, '{"code": "internal", "message": "Cannot", "details": null}', true)
  from jobs_private.job_state s;
  insert into waits
  select j.attempt, extract(epoch from s.run_after - v_from)
  from jobs.jobs j, jobs_private.job_state s;
  perform tests.later('6 min');
end
$$;
update jobs.jobs set max_attempts = 9;
select pg_temp.fail_once() from generate_series(1, 8);
select is((select count(*)::int from waits w where w.seconds between 0.75 * 5 * 2 ^ (w.attempt - 1) and 1.25 * 5 * 2 ^ (w.attempt - 1) and w.attempt < 6),
  5, 'waits double with each attempt');
select is((select max(w.seconds) from waits w), 300::numeric, 'up to five minutes');
select is(tests.job_state((select id from held)), 'queued', 'there is an attempt left');
select pg_temp.fail_once();
select is(tests.job_state((select id from held)), 'failed', 'then there is none');
select is((select j.error ->> 'code' from jobs.jobs j), 'internal', 'the last error stays');
select is((select s.cursor from jobs_private.job_state s), '{"row": 3}', 'and so does the cursor');

select * from finish();
rollback;
