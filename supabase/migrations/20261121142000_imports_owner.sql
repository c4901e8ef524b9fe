-- Whose import it is, and whose rights count: every write, and every question about rows, runs as the owner of the job with
-- the rights of this moment. A job works on its own import and no other.
--
-- SQLSTATE: LS004 the owner may not import into this scope (any more), or the import is another job's.

-- What the worker has to know of an import. Reads one row, locks nothing and asks for no token: what it answers opens
-- nothing, since staged rows are read as their owner. For the worker's login.
create function jobs_private.import_of(p_import_id uuid)
returns jobs_private.imports
language sql
stable
security definer -- the worker may not read the engine's tables
set search_path = ''
as $$
  select * from jobs_private.imports where job_id = p_import_id
$$;
comment on function jobs_private.import_of is 'The plan and the statements of one import.';
revoke all on function jobs_private.import_of from public;
grant execute on function jobs_private.import_of to longshore_worker;

-- Raises LS004 unless the import is the job itself or the check that the job commits: what a request says is not asked,
-- since people can start jobs past the Edge Functions. Reads one row, locks nothing; for the functions below.
create function jobs_private.check_import(p_job_id uuid, p_import_id uuid)
returns void
language plpgsql
stable
security definer -- the worker may not read the engine's tables
set search_path = ''
as $$
begin
  if not exists (
    select from jobs.jobs j
    where j.id = p_job_id
      and case j.kind when 'import_check' then j.id when 'import_commit' then j.parent_id end = p_import_id
  ) then
    raise exception using
      errcode = 'LS004', message = 'Cannot work on this import: found one of another job, expected the job''s own';
  end if;
end;
$$;
comment on function jobs_private.check_import is 'Raises LS004 unless the import belongs to the job.';
revoke all on function jobs_private.check_import from public;
grant execute on function jobs_private.check_import to longshore_worker;

-- Takes a slot for a check and makes its statements, which runs nothing of the plan: its names go through the catalog and
-- its values are quoted. Called again (after a death), it keeps the slot and its rows. Locks what take_slot() locks. For
-- the worker's login, with the lease.
create function jobs_private.prepare_import(p_job_id uuid, p_token bigint, p_plan jsonb)
returns integer
language plpgsql
security definer -- gives out staging tables
set search_path = ''
as $$
declare
  v_slot integer;
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  v_slot := jobs_private.take_slot(p_job_id, (select owner_id from jobs.jobs where id = p_job_id));
  insert into jobs_private.imports (job_id, slot, plan, statements, fingerprint)
  values (
    p_job_id, v_slot, p_plan, jobs_private.compile_import(p_plan, v_slot),
    jobs_private.target_fingerprint((p_plan ->> 'target')::regclass)
  )
  on conflict (job_id) do update
  set plan = excluded.plan, statements = excluded.statements, fingerprint = excluded.fingerprint;
  return v_slot;
end;
$$;
comment on function jobs_private.prepare_import is 'Gives a check its staging and stores the plan with the statements made of it; answers the slot.';
revoke all on function jobs_private.prepare_import from public;
grant execute on function jobs_private.prepare_import to longshore_worker;

-- Makes the rest of this transaction act as the owner of the job, with the rights of this moment. Raises LS004 where
-- the owner may not import into the scope. The caller goes back with become_worker(). No definer, since those may not
-- switch roles. Moves nothing, locks nothing; for the worker's login.
create function jobs_private.become_importer(p_job_id uuid, p_plan jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_org_id uuid;
begin
  perform set_config('request.jwt.claims', jobs_private.owner_claims(p_job_id)::text, true);
  perform set_config('role', 'authenticated', true);
  execute format('select %s($1)', (p_plan ->> 'authorize')::regproc) into v_org_id using p_plan -> 'scope';
  if v_org_id is null then
    raise exception using errcode = 'LS004', message = 'The owner may not import into this scope';
  end if;
end;
$$;
comment on function jobs_private.become_importer is 'Acts as the owner of the job from here on; refuses (LS004) where the owner may not import into the scope.';
revoke all on function jobs_private.become_importer from public;
grant execute on function jobs_private.become_importer to longshore_worker;

-- Ends what become_importer() began, for this transaction. It gives nobody more than the login has: through the API the
-- schema is out of reach, and the login there is PostgREST's. Signed-in people may call it since they are who acts here.
create function jobs_private.become_worker()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('role', 'none', true);
  perform set_config('request.jwt.claims', '', true);
end;
$$;
comment on function jobs_private.become_worker is 'Acts as the login role again.';
revoke all on function jobs_private.become_worker from public;
grant execute on function jobs_private.become_worker to longshore_worker, authenticated;
