begin;
select plan(30);
select tests.create_engine_scene();

create temp table one on commit drop as select tests.enqueue('Mia') as id;
grant all on one to public;
insert into jobs.import_problems (job_id, row, code, message) select id, 2, 'required', 'Found nothing' from one;
create function pg_temp.sees() returns text language sql as $$
  select (select count(*) from jobs.jobs) || ' ' || (select count(*) from jobs.import_problems);
$$;

select tests.act_as('Mia');
select is(pg_temp.sees(), '1 1', 'the owner reads a job and its problems');
select tests.act_as('Max');
select is(pg_temp.sees(), '0 0', 'a colleague does not');
select tests.act_as('Vic');
select is(pg_temp.sees(), '0 0', 'a viewer does not');
select tests.act_as('Adam');
select is(pg_temp.sees(), '1 1', 'an admin does');
select tests.act_as('Olga');
select is(pg_temp.sees(), '1 1', 'an owner of the organization does');
select tests.act_as('Nora');
select is(pg_temp.sees(), '0 0', 'an owner of another does not');
select tests.act_as_service();
select is(pg_temp.sees(), '1 1', 'the service does');
select tests.act_as_anonymous();
select throws_ok('select count(*) from jobs.jobs', '42501', null, 'nobody does without signing in');
select throws_ok('select count(*) from jobs.import_problems', '42501', null, 'nor reads problems');
select tests.act_as_postgres();
delete from public.memberships where user_id = tests.person('Mia');
select tests.act_as('Mia');
select is(pg_temp.sees(), '0 0', 'an owner who was removed does not any more');

-- writing, as everybody who reads
select tests.act_as_postgres();
create temp table personas (name text) on commit drop;
insert into personas values ('Mia'), ('Adam'), ('Stranger');
create function pg_temp.refused(p_statement text) returns text language plpgsql as $$
declare
  v_name text;
  v_refused text := '';
begin
  for v_name in select name from personas union all select 'service' union all select 'nobody' loop
    case v_name
      when 'service' then perform tests.act_as_service();
      when 'nobody' then perform tests.act_as_anonymous();
      else perform tests.act_as(v_name);
    end case;
    begin
      execute p_statement;
    exception when insufficient_privilege then
      v_refused := v_refused || ' ' || v_name;
    end;
    perform tests.act_as_postgres();
  end loop;
  return v_refused;
end
$$;
select is(pg_temp.refused('insert into jobs.jobs (kind, org_id, owner_id) values (''export'', gen_random_uuid(), gen_random_uuid())'),
  ' Mia Adam Stranger service nobody', 'nobody inserts jobs');
select is(pg_temp.refused('update jobs.jobs set state = ''succeeded'''), ' Mia Adam Stranger service nobody', 'nobody updates jobs');
select is(pg_temp.refused('delete from jobs.jobs'), ' Mia Adam Stranger service nobody', 'nobody deletes jobs');
select is(pg_temp.refused('insert into jobs.import_problems (job_id, row, code, message) values (gen_random_uuid(), 1, '''', '''')'),
  ' Mia Adam Stranger service nobody', 'nobody inserts problems');
select is(pg_temp.refused('update jobs.import_problems set message = '''''), ' Mia Adam Stranger service nobody', 'nobody updates problems');
select is(pg_temp.refused('delete from jobs.import_problems'), ' Mia Adam Stranger service nobody', 'nobody deletes problems');
select is(pg_temp.refused('select * from jobs.settings'), ' Mia Adam Stranger service nobody', 'nobody reads the settings');
select is(pg_temp.refused('select * from jobs_private.job_state'), ' Mia Adam Stranger service nobody', 'nobody reads the engine''s side');
select is(pg_temp.refused('select jobs_private.claim_job(null, ''me'')'), ' Mia Adam Stranger service nobody', 'nobody claims jobs');
select is(pg_temp.refused('select jobs_private.tick()'), ' Mia Adam Stranger service nobody', 'nobody ticks');
select is(pg_temp.refused('select jobs.now()'), ' Mia Adam Stranger service nobody', 'nobody asks the engine''s clock');

-- what there is
create temp table engine (verb text) on commit drop;
insert into engine
select unnest(array['claim_job', 'owner_claims', 'check_lease', 'heartbeat', 'checkpoint', 'release_job', 'finish_job', 'fail_job',
  'tick', 'files_deleted', 'read_settings', 'close_job', 'end_attempt', 'end_holder', 'hold_lease', 'renew_lease', 'nudge',
  'dispatch', 'post', 'waiting_jobs', 'may_start', 'read_claims', 'require_check', 'require_room', 'lock_own_job', 'public_job',
  'enqueue_job', 'recover_leases', 'expire_checks', 'expired_files', 'outlived_jobs', 'has_work', 'tick_if_needed',
  'number_update', 'send_progress']);
create function pg_temp.may_execute(p_role name, p_schema name) returns setof text language sql as $$
  select p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = p_schema and has_function_privilege(p_role, p.oid, 'execute')
    and (p_schema = 'jobs' or p.proname in (select verb from engine));
$$;
select is((select array_agg(c.relname::text order by 1) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('jobs', 'jobs_private') and c.relkind in ('r', 'p') and not c.relrowsecurity), null,
  'every table of the engine has row security on');
select set_eq($$ select pg_temp.may_execute('authenticated', 'jobs') $$,
  array['enqueue_job', 'cancel_job', 'retry_job', 'authorize_refresh'],
  'people may start, cancel and retry jobs and ask for whom they may refresh, nothing else');
select set_eq($$ select pg_temp.may_execute('authenticated', 'jobs_private') $$,
  array['enqueue_job'], 'of the engine they reach what jobs.enqueue_job() calls');
select is(
  (select array_agg(p.oid::regprocedure::text) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname in ('jobs', 'jobs_private') and has_function_privilege('anon', p.oid, 'execute')),
  null, 'who has not signed in may call nothing');
select is(
  (select array_agg(p.oid::regprocedure::text) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname in ('jobs', 'jobs_private') and not coalesce(p.proconfig::text like '%search_path=%', false)),
  null, 'every function of the engine has a search path of its own');

-- the worker's login
select is((select array[r.rolinherit, r.rolbypassrls, r.rolsuper, r.rolcreaterole] from pg_roles r where r.rolname = 'longshore_worker'),
  array[false, false, false, false], 'the worker has no right beyond its grants');
select is((select array_agg(m.roleid::regrole::text || ' ' || m.inherit_option || ' ' || m.set_option) from pg_auth_members m
  where m.member = 'longshore_worker'::regrole), array['authenticated false true'], 'it may become authenticated');
select is(
  (select array_agg(c.oid::regclass::text) from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('jobs', 'jobs_private', 'public', 'auth', 'storage', 'vault') and c.relkind in ('r', 'v', 'p')
     and has_table_privilege('longshore_worker', c.oid, 'insert, update, delete, truncate')),
  null, 'it writes no table of its own right');
select set_eq($$ select pg_temp.may_execute('longshore_worker', 'jobs_private') $$,
  array['claim_job', 'owner_claims', 'check_lease', 'heartbeat', 'checkpoint', 'release_job', 'finish_job', 'fail_job', 'tick',
    'files_deleted', 'read_settings'], 'it executes what a slice and the tick need');

select * from finish();
rollback;
