-- What waits between two slices is nobody's to read, and goes however the job ends.
begin;
select plan(16);
select tests.create_people('Olga');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org');
insert into public.memberships (org_id, user_id, role) values (md5('org')::uuid, tests.person('Olga'), 'owner');

create function pg_temp.make_export(p_name text) returns uuid language plpgsql as $$
begin
  insert into jobs.jobs (id, kind, state, org_id, owner_id, attempt)
  values (md5(p_name)::uuid, 'export', 'running', md5('org')::uuid, tests.person('Olga'), 1);
  insert into jobs_private.job_state (job_id, function_name, owner_id, token, lease_expires_at, cursor)
  values (md5(p_name)::uuid, 'export', tests.person('Olga'), 7, jobs.now() + interval '1 minute', '{"phase": "writing"}');
  perform jobs_private.keep_export_piece(md5(p_name)::uuid, 7, 0, 1, 'secret');
  perform jobs_private.keep_export_tail(md5(p_name)::uuid, 7, 'c2VjcmV0');
  return md5(p_name)::uuid;
end
$$;
create function pg_temp.kept(p_name text) returns bigint language sql as $$
  select (select count(*) from jobs_private.export_pieces where job_id = md5(p_name)::uuid)
    + (select count(*) from jobs_private.export_tails where job_id = md5(p_name)::uuid)
    + (select count(*) from jobs_private.job_state where job_id = md5(p_name)::uuid and cursor is not null);
$$;

select is(has_table_privilege(r, t, 'select, insert, update, delete'), false, r || ' may nothing with ' || t)
from unnest(array['anon', 'authenticated', 'longshore_worker']) r,
  unnest(array['jobs_private.export_pieces', 'jobs_private.export_tails']) t;
select is(
  (select count(*)::int from pg_proc p
   where p.pronamespace = 'jobs_private'::regnamespace and p.proname ~ 'export' and p.proname <> 'export_lines'
     and (has_function_privilege('anon', p.oid, 'execute') or has_function_privilege('authenticated', p.oid, 'execute'))),
  0, 'people call none of the functions but the one that a slice calls as them');

select pg_temp.make_export(n) from unnest(array['done', 'failed', 'cancelled', 'lost', 'gone']) n;
select is(pg_temp.kept('done'), 3::bigint, 'pieces, the tail and the cursor wait');
select jobs_private.finish_job(md5('done')::uuid, 7, '{}');
select is(pg_temp.kept('done'), 0::bigint, 'they go when the job is done');
select jobs_private.fail_job(md5('failed')::uuid, 7, '{"code": "internal", "message": "x"}', false);
select is(pg_temp.kept('failed'), 0::bigint, 'when it has failed');
select tests.act_as('Olga');
select jobs.cancel_job(md5('cancelled')::uuid);
select tests.act_as_postgres();
select is(pg_temp.kept('cancelled'), 0::bigint, 'when it was cancelled');
select ok((select files_until <= jobs.now() from jobs_private.job_state where job_id = md5('cancelled')::uuid),
  'and the next tick looks for a file');
select jobs_private.fail_job(md5('lost')::uuid, 7, '{"code": "internal", "message": "x"}', true);
select is(pg_temp.kept('lost'), 3::bigint, 'but not while there are attempts');
delete from jobs.jobs where id = md5('gone')::uuid;
select is(pg_temp.kept('gone'), 0::bigint, 'and when the job is deleted');
select throws_ok($$select jobs_private.export_piece(md5('lost')::uuid, 7, 0)$$, 'LS001', null, 'a stale token reads no piece');
select throws_ok($$select jobs_private.keep_export_piece(md5('lost')::uuid, 7, 1, 1, 'x')$$, 'LS001', null, 'and keeps none');

select * from finish();
rollback;
