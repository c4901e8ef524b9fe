begin;
select plan(31);
select tests.create_engine_scene();

-- acting as a member
select tests.act_as('Mia');
create temp table asked on commit drop as select null::jsonb as answer;
grant all on asked to public;
select lives_ok('update asked set answer = (' || tests.request_job('import_check', p_key => 'k', p_hash => 'h') || ')',
  'a member starts a job');
select is((select answer ->> 'replayed' from asked), 'false', 'it is a new one');
select is((select answer #>> '{job,state}' from asked), 'queued', 'that is queued');
select is((select answer #>> '{job,owner_id}' from asked), tests.person('Mia')::text, 'and belongs to its caller');
select is((select answer #>> '{job,params}' from asked), '{"asked": true}', 'with what was asked for');
select is((select array_agg(k order by k) from jsonb_object_keys((select answer -> 'job' from asked)) k),
  array['attempt', 'created_at', 'error', 'finished_at', 'id', 'kind', 'max_attempts', 'org_id', 'owner_id',
    'params', 'parent_id', 'progress', 'result', 'started_at', 'state', 'updated_at', 'version'],
  'a job has the columns of the contract');

select is((select jobs.enqueue_job('import', 'import_check', md5('org')::uuid, '{"asked": true}', null, 'k', 'h') ->> 'replayed'),
  'true', 'the same key and request are the same job');
select is((select jobs.enqueue_job('import', 'import_check', md5('org')::uuid, '{}', null, 'k', 'h') #>> '{job,id}'),
  (select answer #>> '{job,id}' from asked), 'with the same id');
select is(tests.error_code(tests.request_job('import_check', p_key => 'k', p_hash => 'other')), 'idempotency_conflict',
  'the same key with another request is refused');
select is(tests.error_code(tests.request_job('export', p_key => 'k', p_hash => 'other')), null,
  'keys are apart by function');
select is(tests.error_code(tests.request_job('export', 'other')), 'not_allowed',
  'a job for somebody else''s organization is refused');
select is(tests.error_code(format('select jobs.enqueue_job(''export'', ''export'', null, ''{}'')')), 'not_allowed',
  'a job for no organization is refused');
select is(tests.error_code(format('select jobs.enqueue_job(''export'', ''import_check'', %L, ''{}'')', md5('org')::uuid)),
  'invalid_request', 'a kind that the function does not run is refused');

-- acting as a colleague
select tests.act_as('Max');
select is((select jobs.enqueue_job('import', 'import_check', md5('org')::uuid, '{}', null, 'k', 'h') ->> 'replayed'),
  'false', 'keys are apart by person');

-- acting as nobody
select tests.act_as_anonymous();
select throws_ok(tests.request_job(), '42501', null, 'nobody starts a job without signing in');
select tests.act_as_service();
select throws_ok(tests.request_job(), '42501', null, 'the service starts no job for nobody');

-- a file
select tests.act_as_postgres();
insert into storage.objects (bucket_id, name, owner_id, version, metadata) values
  ('imports', md5('org')::uuid || '/mine.csv', tests.person('Mia')::text, 'v1', '{"eTag": "\"e\"", "size": 12}'),
  ('imports', md5('other')::uuid || '/theirs.csv', tests.person('Nora')::text, 'v1', '{"eTag": "\"e\"", "size": 12}');
select tests.act_as('Mia');
select is(tests.error_code(tests.request_job('import_check', p_file => md5('org')::uuid || '/mine.csv')), null,
  'a file that the caller may read is taken');
select is(tests.error_code(tests.request_job('import_check', p_file => md5('other')::uuid || '/theirs.csv')),
  'file_not_found', 'a file that the caller may not read is not there');
select is(tests.error_code(tests.request_job('import_check', p_file => md5('org')::uuid || '/none.csv')),
  'file_not_found', 'a file that does not exist is not there');
select tests.act_as_postgres();
select is((select s.file - 'id' from jobs_private.job_state s where s.file is not null),
  jsonb_build_object('bucket', 'imports', 'path', md5('org')::uuid || '/mine.csv', 'version', 'v1', 'etag', '"e"', 'size', 12),
  'the file is pinned');
select is((select (s.file ->> 'id')::uuid from jobs_private.job_state s where s.file is not null),
  (select o.id from storage.objects o where o.name like '%/mine.csv'), 'by its id too');

-- a commit
create temp table checks on commit drop as
select tests.enqueue('Mia', 'import_check') as done, tests.enqueue('Mia', 'import_check') as waiting;
grant all on checks to public;
select jobs_private.finish_job((select done from checks), tests.claim((select done from checks)), '{"valid": 1}');
select tests.act_as('Mia');
select is(tests.error_code(tests.request_job('import_commit', p_parent => (select waiting from checks))), 'not_checked',
  'a check that has not ended is not committed');
select is(tests.error_code(tests.request_job('import_commit', p_parent => md5('none')::uuid)), 'job_not_found',
  'a check that does not exist is not found');
select tests.act_as('Adam');
select is(tests.error_code(tests.request_job('import_commit', p_parent => (select done from checks))), 'job_not_found',
  'an admin does not commit another person''s check');
select tests.act_as_postgres();
savepoint before_expiry;
select tests.later('8 days');
select tests.act_as('Mia');
select is(tests.error_code(tests.request_job('import_commit', p_parent => (select done from checks))), 'expired',
  'a check expires');
rollback to before_expiry;
select tests.act_as('Mia');
select is((select jobs.enqueue_job('import-commit', 'import_commit', md5('org')::uuid, '{}', (select done from checks), 'c', 'h') ->> 'replayed'),
  'false', 'a check that succeeded is committed');
select is(tests.error_code(tests.request_job('import_commit', p_parent => (select done from checks))), 'already_committed',
  'but once only');
select is((select jobs.enqueue_job('import-commit', 'import_commit', md5('org')::uuid, '{}', (select done from checks), 'c', 'h') ->> 'replayed'),
  'true', 'the same request again is the same commit');
select tests.act_as_postgres();
select throws_ok(
  format('insert into jobs.jobs (kind, org_id, owner_id, parent_id) values (''import_commit'', %L, %L, %L)',
    md5('org')::uuid, tests.person('Mia'), (select done from checks)),
  '23505', null, 'the database holds no second commit of a check');

-- the limit of unfinished jobs
update jobs.settings set unfinished_per_person = 3;
select tests.enqueue('Vic') from generate_series(1, 3);
select tests.act_as('Vic');
select is(tests.error_code(tests.request_job()), 'too_many_jobs', 'a person has so many unfinished jobs and no more');
select tests.act_as_postgres();
-- No other job was told that it is its turn.
update jobs_private.job_state set nudged_at = null;
select jobs_private.finish_job(j.id, tests.claim(j.id), '{}')
from jobs.jobs j where j.owner_id = tests.person('Vic') limit 1;
select tests.act_as('Vic');
select is(tests.error_code(tests.request_job()), null, 'one that has ended makes room');

select * from finish();
rollback;
