-- The life of a chunk of rows, in one call: become the owner, write for real, find out what fails and why, undo when
-- checking. A worker makes these calls inside a transaction of its own and ends it with jobs_private.checkpoint(), so
-- that rows, problems and the cursor that counts them are committed together or not at all.
--
-- SQLSTATEs: LS004 the owner may not import into this scope (any more), LS005 the target's definition has changed.

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

-- Finds the rows whose key stands in the file more than once: a pass over 64-bit hashes, then an exact comparison
-- of the rows whose hash is not alone. Answers how many there are. Starts over when called again. Locks the check's own
-- table of duplicates (TRUNCATE). For the worker's login, with the lease.
create function jobs_private.find_duplicates(p_job_id uuid, p_token bigint)
returns integer
language plpgsql
security definer -- reads staging
set search_path = ''
set work_mem = '64MB'
as $$
declare
  v_import jobs_private.imports := jobs_private.import_of(p_job_id);
  v_key text := v_import.statements ->> 'key';
  v_found integer := 0;
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  execute format('truncate jobs_staging.duplicates_%s', v_import.slot);
  -- Without statistics a chunk is looked for in the whole table instead of in the index.
  execute format('analyze jobs_staging.rows_%s (row_number)', v_import.slot);
  if v_key is not null then
    execute format(
      'with hashes as materialized (
         select hashtextextended(%1$s, 0) as hash from jobs_staging.rows_%2$s s where %1$s is not null
         group by 1 having count(*) > 1
       ), keys as (
         select s.row_number, %1$s as key from jobs_staging.rows_%2$s s
         where exists (select from hashes) and hashtextextended(%1$s, 0) in (select hash from hashes)
       ), groups as (
         select row_number, dense_rank() over (order by key collate "C") as group_number, count(*) over (partition by key collate "C") as size
         from keys
       )
       insert into jobs_staging.duplicates_%2$s (row_number, group_number)
       select row_number, group_number from groups where size > 1', v_key, v_import.slot);
    get diagnostics v_found = row_count;
  end if;
  return v_found;
end;
$$;
comment on function jobs_private.find_duplicates is 'Stages the numbers of the rows whose key stands in the file more than once.';
revoke all on function jobs_private.find_duplicates from public;
grant execute on function jobs_private.find_duplicates to longshore_worker;

-- Marks, in one chunk, every row whose key an earlier valid row of the file has. A row counts as valid as long as
-- nothing else is known against it, so the chunk calls again after each attempt; answers whether anything changed.
-- Changes the check's staged problems only, and locks no row of anybody else's. For import_chunk().
create function jobs_private.mark_duplicates(p_import_id uuid, p_first integer, p_last integer)
returns boolean
language plpgsql
security definer -- reads and cleans staging
set search_path = ''
as $$
declare
  v_import jobs_private.imports := jobs_private.import_of(p_import_id);
  v_key_place integer := (
    select min(c.place) from jsonb_array_elements(v_import.plan -> 'columns') with ordinality c(declared, place)
    where v_import.plan -> 'key' ? (c.declared ->> 'target') and (c.declared ->> 'mapped')::boolean
  );
  v_changed boolean;
begin
  execute format('select exists (select from jobs_staging.duplicates_%s where row_number between $1 and $2)', v_import.slot)
  into v_changed using p_first, p_last;
  if not v_changed then
    return false;
  end if;
  execute format(
    $q$with marked as (
         select p.row_number, p.message from jobs_staging.problems_%1$s p
         where p.row_number between $1 and $2 and p.code = 'duplicate_in_file'
       ), valid as (
         -- Candidates with nothing but perhaps this very mark against them.
         select d.row_number, d.group_number from jobs_staging.duplicates_%1$s d
         where d.row_number <= $2
           and d.group_number in (select c.group_number from jobs_staging.duplicates_%1$s c where c.row_number between $1 and $2)
           and not exists (
             select from jobs_staging.problems_%1$s p
             where p.row_number = d.row_number and (p.code <> 'duplicate_in_file' or p.row_number < $1)
           )
       ), ranked as (
         select row_number, min(row_number) over (partition by group_number) as first_row from valid
       ), wanted as (
         -- The first row is in the message, and may turn out to be another.
         select row_number, format('Row %%s of the file has the same %%s; expected each only once', first_row, $4) as message
         from ranked where row_number > first_row and row_number >= $1
       ), removed as (
         delete from jobs_staging.problems_%1$s p
         where p.row_number in (select row_number from marked) and p.code = 'duplicate_in_file'
           and (p.row_number, p.message) not in (select row_number, message from wanted)
         returning 1
       ), added as (
         insert into jobs_staging.problems_%1$s (row_number, column_index, code, message, value, phase)
         select w.row_number, $3, 'duplicate_in_file', w.message, left(r.c%2$s, 200), 2
         from wanted w join jobs_staging.rows_%1$s r on r.row_number = w.row_number
         where (w.row_number, w.message) not in (select row_number, message from marked)
         returning 1
       )
       select exists (select from removed) or exists (select from added)$q$, v_import.slot, v_key_place)
  into v_changed
  using p_first, p_last, v_key_place,
    (select string_agg(c.declared ->> 'title', ' and ' order by c.place) from jsonb_array_elements(v_import.plan -> 'columns') with ordinality c(declared, place)
     where v_import.plan -> 'key' ? (c.declared ->> 'target'));
  return v_changed;
end;
$$;
comment on function jobs_private.mark_duplicates is 'Marks the rows of one chunk whose key an earlier valid row of the file has; answers whether a mark changed.';
revoke all on function jobs_private.mark_duplicates from public;
grant execute on function jobs_private.mark_duplicates to longshore_worker;

-- Whether rows p_first to p_last, which were checked while p_earlier_first to p_first - 1 still were, may have been told
-- wrongly which of them repeat a key: an earlier row with a key of theirs has turned out to be invalid. What reading
-- found was known to both. Reads staging only; for the worker's login.
create function jobs_private.earlier_rows_decide(
  p_import_id uuid, p_earlier_first integer, p_first integer, p_last integer
)
returns boolean
language plpgsql
stable
security definer -- reads staging
set search_path = ''
as $$
declare
  v_decide boolean;
begin
  execute format(
    'select exists (
       select from jobs_staging.duplicates_%1$s later
       join jobs_staging.duplicates_%1$s earlier on earlier.group_number = later.group_number
       join jobs_staging.problems_%1$s p on p.row_number = earlier.row_number
       where later.row_number between $2 and $3
         and earlier.row_number >= $1 and earlier.row_number < $2
         and p.phase = 2 and p.code <> ''duplicate_in_file''
     )', (select i.slot from jobs_private.imports i where i.job_id = p_import_id))
  into v_decide using p_earlier_first, p_first, p_last;
  return v_decide;
end;
$$;
comment on function jobs_private.earlier_rows_decide is 'Whether rows checked ahead of earlier ones have to be checked again, since an invalid earlier one has their key.';
revoke all on function jobs_private.earlier_rows_decide from public;
grant execute on function jobs_private.earlier_rows_decide to longshore_worker;

-- The problem that an error of the database stands for. Errors that say nothing about the row (locks, deadlocks,
-- shutdown, resources, defects) have none: null, and the caller raises them again.
create function jobs_private.problem_of_error(p_state text, p_message text, p_constraint text, p_column text)
returns table (code text, message text)
language plpgsql -- which keeps its plan: a chunk may have 5,000 errors, and SQL would be planned for each
immutable
set search_path = ''
as $$
begin
  return query
  select x.code, x.message
  from (
    select
      case
        when p_state = '23505' then 'duplicate_existing'
        when p_state = '23503' then 'unknown_reference'
        when p_state = '23502' then 'required'
        when p_state in ('23514', '23P01') then 'rule_violated'
        when p_state = '42501' then 'not_allowed'
        when p_state = '22001' then 'too_long'
        when p_state = '22003' then 'out_of_range'
        when p_state in ('22007', '22008') then 'invalid_date'
        when p_state = '22021' then 'invalid_text'
        when p_state like '22%' then 'invalid_type'
        when p_state like 'P0%' or (p_state !~ '^(08|25|40|53|54|55|57|58|XX|LS|42|0A|F0|HV)') then 'rule_violated'
      end as code,
      case
        when p_state = '23505' then format('The unique rule "%s" refuses this row: such a row exists already', p_constraint)
        when p_state = '23503' then format('The rule "%s" refuses this row: what it refers to does not exist', p_constraint)
        when p_state = '23502' then format('"%s" is required, found nothing', p_column)
        when p_state in ('23514', '23P01') then format('The row breaks the rule "%s"', p_constraint)
        when p_state = '42501' then 'A policy of the table does not allow you to write this row'
        when p_state like '22%' then 'A value of this row does not fit its column in the table'
        else format('A trigger of the table refuses this row: %s', left(
          case when p_state = 'PGRST' and p_message is json object then p_message::json ->> 'message' else p_message end, 300))
      end as message
  ) x
  where x.code is not null;
end;
$$;
comment on function jobs_private.problem_of_error is 'The code and message of a row''s problem for an error of its write; no row where the error is not the row''s.';
revoke all on function jobs_private.problem_of_error from public;
grant execute on function jobs_private.problem_of_error to longshore_worker, authenticated;

-- Writes the rows of a chunk one after the other in blocks of 25, each kept by itself, and answers what became of
-- them. Runs as the owner, inside a sub-transaction that the caller undoes when checking. Locks what the write locks.
-- Signed-in people may call it since the owner is who acts here; it does what they could do themselves.
create function jobs_private.write_in_blocks(
  p_statements jsonb, p_first integer, p_last integer, p_preview boolean,
  out inserted integer, out updated integer, out problems jobs_private.row_problem[], out preview jsonb
)
language plpgsql
set search_path = ''
as $$
declare
  v_rows integer[];
  v_create text;
  v_block integer;
  v_end integer;
  v_row integer;
  v_inserted integer;
  v_updated integer;
  v_insert boolean := p_statements ->> 'mode' = 'insert';
  v_changes integer;
  v_changes_query text := p_statements ->> 'changes';
  v_state text;
  v_message text;
  v_constraint text;
  v_column text;
  v_problem record;
  v_name text;
  v_try text;
  v_written jsonb;
  v_role text := current_setting('role');
  v_claims text := current_setting('request.jwt.claims');
begin
  inserted := 0;
  updated := 0;
  problems := '{}';
  preview := '[]';
  execute format('select array_agg(row_number order by row_number) from (%s) ready', p_statements ->> 'ready')
  into v_rows using p_first, p_last;

  -- Prepared once: planning would cost more than writing one row. A name outlives a transaction that failed.
  foreach v_name in array array['write', 'write_preview', 'write_row', 'write_preview_row'] loop
    if exists (select from pg_catalog.pg_prepared_statements where name = 'longshore_' || v_name) then
      execute format('deallocate longshore_%s', v_name);
    end if;
    execute format('prepare longshore_%s as %s', v_name, p_statements ->> v_name);
  end loop;
  for v_create in select jsonb_array_elements_text(p_statements -> 'creates') loop
    execute v_create using p_first, p_last;
  end loop;

  v_block := 1;
  while v_block <= coalesce(cardinality(v_rows), 0) loop
    v_end := least(v_block + 24, cardinality(v_rows));
    v_name := case when p_preview and jsonb_array_length(preview) < 20 then 'write_preview' else 'write' end;
    begin
      -- Whomever a trigger has become for a row before, this one is the owner's.
      perform set_config('role', v_role, true), set_config('request.jwt.claims', v_claims, true);
      v_changes := case when v_insert then v_end - v_block + 1 end;
      if v_changes_query is not null then
        execute v_changes_query into v_changes using v_rows[v_block], v_rows[v_end];
      end if;
      execute format('execute longshore_%s (%s, %s)', v_name, v_rows[v_block], v_rows[v_end]) into v_inserted, v_updated, v_written;
      if v_inserted + v_updated <> v_changes then
        raise exception using errcode = 'LS900', message = 'A row is missing';
      end if;
      inserted := inserted + v_inserted;
      updated := updated + v_updated;
      preview := preview || coalesce(v_written, '[]');
    exception when others or assert_failure then
      get stacked diagnostics v_state = returned_sqlstate, v_message = message_text;
      if v_state <> 'LS900' and not exists (select from jobs_private.problem_of_error(v_state, v_message, null, null)) then
        raise;
      end if;
      for v_row in v_block..v_end loop
        -- A row that may be written but not read cannot be shown, which is no problem of the row.
        foreach v_try in array case v_name when 'write' then array['write'] else array['write_preview', 'write'] end loop
          begin
            perform set_config('role', v_role, true), set_config('request.jwt.claims', v_claims, true);
            v_changes := case when v_insert then 1 end;
            if v_changes_query is not null then
              execute v_changes_query into v_changes using v_rows[v_row], v_rows[v_row];
            end if;
            execute format('execute longshore_%s_row (%s)', v_try, v_rows[v_row]) into v_inserted, v_updated, v_written;
            if v_inserted + v_updated <> v_changes then
              problems := problems || row(v_rows[v_row], null, 'rule_violated', 'A trigger of the table leaves this row out', null)::jobs_private.row_problem;
            end if;
            inserted := inserted + v_inserted;
            updated := updated + v_updated;
            preview := preview || coalesce(v_written, '[]');
            exit;
          exception when others or assert_failure then
            get stacked diagnostics v_state = returned_sqlstate, v_message = message_text,
              v_constraint = constraint_name, v_column = column_name;
            continue when v_state = '42501' and v_try = 'write_preview';
            select * into v_problem from jobs_private.problem_of_error(v_state, v_message, v_constraint, v_column);
            if not found then
              raise;
            end if;
            problems := problems || row(v_rows[v_row], null, v_problem.code, v_problem.message, null)::jobs_private.row_problem;
            exit;
          end;
        end loop;
      end loop;
    end;
    v_block := v_end + 1;
  end loop;
  preview := jsonb_path_query_array(preview, '$[0 to 19]');
  foreach v_name in array array['write', 'write_preview', 'write_row', 'write_preview_row'] loop
    execute format('deallocate longshore_%s', v_name);
  end loop;
end;
$$;
comment on function jobs_private.write_in_blocks is 'Writes rows in blocks of 25, row by row inside a block that fails; answers counts, problems and the first rows as written.';
revoke all on function jobs_private.write_in_blocks from public;
grant execute on function jobs_private.write_in_blocks to longshore_worker, authenticated;

-- One chunk of rows, for real.
--   p_job_id     the job that runs; its owner's rights of this moment count
--   p_import_id  the check whose staged rows are written (the job itself, or the parent of a commit)
--   p_first, p_last  row numbers of the file
--   p_count      how many staged rows the range has
--   p_checking   a check: rows that repeat a key of the file are marked, problems are kept as the check's
--   p_undo       undo the write
--   p_classify   look for rows that must fail before trying; else only when the try fails
--   p_preview    answer the first 20 rows as they were written
-- Answers counts of rows (they add up to the staged rows of the range), whether any problem is new, and the new
-- problems themselves for a caller whose transaction will be rolled back.
create function jobs_private.import_chunk(
  p_job_id uuid, p_import_id uuid, p_first integer, p_last integer, p_count integer,
  p_checking boolean, p_undo boolean, p_classify boolean, p_preview boolean,
  out inserted integer, out updated integer, out unchanged integer, out failed integer, out preview jsonb,
  out problems jobs_private.row_problem[]
)
language plpgsql
set search_path = ''
as $$
declare
  v_import jobs_private.imports := jobs_private.import_of(p_import_id);
  v_statements jsonb := v_import.statements;
  v_mode text := v_import.plan ->> 'mode';
  v_target regclass := (v_import.plan ->> 'target')::regclass;
  -- Only these queries can tell unchanged rows and missing ones from written ones.
  v_classify boolean := p_classify or v_mode <> 'insert';
  v_classified boolean;
  v_preview boolean := p_preview;
  v_query text;
  v_earlier record;
  v_ready integer;
  v_changes integer; -- rows that the write must insert or update; null where that goes without saying
  v_done boolean;
  v_create text;
  v_state text;
  v_message text;
  v_found jobs_private.row_problem[];
begin
  problems := '{}';
  if jobs_private.target_fingerprint(v_target) <> v_import.fingerprint then
    raise exception using errcode = 'LS005', message = 'The target has changed since the import was checked';
  end if;

  -- Which of several rows with one key is the valid one may take several attempts, which have to be undone.
  if p_checking and not p_undo and jobs_private.mark_duplicates(p_import_id, p_first, p_last) then
    v_earlier := jobs_private.import_chunk(p_job_id, p_import_id, p_first, p_last, p_count, true, true, true, false);
    problems := v_earlier.problems;
  end if;

  <<duplicates>>
  loop
    if p_checking and p_undo then
      perform jobs_private.mark_duplicates(p_import_id, p_first, p_last);
    end if;
    v_classified := false;
    v_done := false;

    <<attempts>>
    loop
      if v_classify and not v_classified then
        -- One after the other: a value of the wrong type would end the query for the rules.
        foreach v_query in array array[v_statements ->> 'types', v_statements ->> 'rules'] loop
          v_found := jobs_private.classify_rows(p_job_id, v_import, v_query, p_first, p_last);
          perform jobs_private.keep_problems(v_import.slot, v_found, p_checking);
          problems := problems || v_found;
        end loop;
        v_classified := true;
      end if;

      begin
        perform jobs_private.become_importer(p_job_id, v_import.plan);
        execute v_statements ->> 'refused' into v_ready using p_first, p_last;
        v_ready := p_count - v_ready;
        for v_create in select jsonb_array_elements_text(v_statements -> 'creates') loop
          execute v_create using p_first, p_last;
        end loop;
        v_changes := case when v_mode = 'insert' then v_ready end;
        if v_statements ->> 'changes' is not null then
          execute v_statements ->> 'changes' into v_changes using p_first, p_last;
        end if;
        execute v_statements ->> (case when v_preview then 'write_preview' else 'write' end)
        into inserted, updated, preview using p_first, p_last;
        if inserted + updated <> v_changes then
          raise exception using errcode = 'LS900', message = 'A row is missing';
        end if;
        -- Deferred constraints would otherwise be checked at COMMIT, as the login role.
        set constraints all immediate;
        v_done := true;
        if p_undo then
          raise exception using errcode = 'LS901', message = 'Undone: this is a check';
        end if;
        perform jobs_private.become_worker();
      exception when others or assert_failure then
        get stacked diagnostics v_state = returned_sqlstate, v_message = message_text;
        -- A trigger may raise any SQLSTATE: only what was raised behind the whole write is the undoing.
        if not (v_state = 'LS900' or v_state = 'LS901' and v_done)
          and not exists (select from jobs_private.problem_of_error(v_state, v_message, null, null)) then
          raise;
        end if;
        -- A row that may be written but not read cannot be shown.
        if v_state = '42501' and v_preview and v_classified then
          v_preview := false;
          continue attempts;
        end if;
      end;
      exit attempts when v_done or v_classified;
      v_classify := true;
    end loop;

    if not v_done then
      begin
        perform jobs_private.become_importer(p_job_id, v_import.plan);
        set constraints all immediate;
        select b.inserted, b.updated, b.problems, b.preview into inserted, updated, v_found, preview
        from jobs_private.write_in_blocks(v_statements || jsonb_build_object('mode', v_mode), p_first, p_last, v_preview) b;
        v_done := true;
        if p_undo then
          raise exception using errcode = 'LS901', message = 'Undone: this is a check';
        end if;
        perform jobs_private.become_worker();
      exception when sqlstate 'LS901' then
        if not v_done then
          raise;
        end if;
      end;
      perform jobs_private.keep_problems(v_import.slot, v_found, p_checking);
      problems := problems || v_found;
      v_ready := v_ready - cardinality(v_found);
    end if;

    exit duplicates when not (p_checking and p_undo) or cardinality(problems) = 0 or not jobs_private.mark_duplicates(p_import_id, p_first, p_last);
  end loop;

  unchanged := v_ready - inserted - updated;
  failed := (select count(distinct p.row_number) from unnest(problems) p);
end;
$$;
comment on function jobs_private.import_chunk is 'Writes one chunk of staged rows as the owner of the job, and undoes it when checking; answers counts and new problems.';
revoke all on function jobs_private.import_chunk from public;
grant execute on function jobs_private.import_chunk to longshore_worker;

-- Runs one query of an import for the rows of a chunk that must fail, as the owner. The query runs code of the target
-- (defaults, CHECKs, policies), so that whatever it may write is undone, as the write of a check is.
create function jobs_private.classify_rows(
  p_job_id uuid, p_import jobs_private.imports, p_query text, p_first integer, p_last integer
)
returns jobs_private.row_problem[]
language plpgsql
set search_path = ''
as $$
declare
  v_found jobs_private.row_problem[];
begin
  if coalesce(p_query, '') = '' then
    return '{}';
  end if;
  begin
    perform jobs_private.become_importer(p_job_id, p_import.plan);
    execute format(
      'select coalesce(array_agg(row(row_number, column_index, code, message, left(value, 200))::jobs_private.row_problem), ''{}'')
       from (%s) found (row_number, column_index, code, message, value)', p_query)
    into v_found using p_first, p_last, p_import.suggestions;
    raise exception using errcode = 'LS901', message = 'Undone: this is a question';
  exception when sqlstate 'LS901' then
    if v_found is null then
      raise;
    end if;
  end;
  return v_found;
end;
$$;
comment on function jobs_private.classify_rows is 'The rows of a chunk that types, required columns, references, keys, CHECKs or policies refuse.';
revoke all on function jobs_private.classify_rows from public;
grant execute on function jobs_private.classify_rows to longshore_worker;

-- Adds problems to the staged ones. Locks nothing else; for the worker's login, which may insert there.
create function jobs_private.keep_problems(p_slot integer, p_problems jobs_private.row_problem[], p_checking boolean)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if cardinality(p_problems) > 0 then
    execute format(
      'insert into jobs_staging.problems_%s (row_number, column_index, code, message, value, phase)
       select p.row_number, p.column_index, p.code, p.message, p.value, $2 from unnest($1) p', p_slot)
    using p_problems, case when p_checking then 2 else 3 end;
  end if;
end;
$$;
comment on function jobs_private.keep_problems is 'Stages problems that a chunk has shown.';
revoke all on function jobs_private.keep_problems from public;
grant execute on function jobs_private.keep_problems to longshore_worker;

-- The next rows to work on: the last row number of at most p_size rows behind p_after, and how many they are. Reads
-- only; for the worker's login.
create function jobs_private.next_chunk(p_import_id uuid, p_after integer, p_size integer)
returns table (last_row integer, row_count integer)
language plpgsql
stable
security definer -- reads staging, which the worker may only insert into
set search_path = ''
as $$
begin
  return query execute format(
    'select max(row_number), count(*)::integer from (
       select row_number from jobs_staging.rows_%s where row_number > $1 order by row_number limit $2
     ) rows', (select i.slot from jobs_private.imports i where i.job_id = p_import_id))
  using p_after, p_size;
end;
$$;
comment on function jobs_private.next_chunk is 'Where the next chunk of staged rows ends, and how many rows it has.';
revoke all on function jobs_private.next_chunk from public;
grant execute on function jobs_private.next_chunk to longshore_worker;

-- One step of a check or a commit: the next chunks of rows, and the cursor behind them, in one call.
--   p_cursor  {after, done, counts: {inserted, updated, unchanged, skipped, failed}, classify, preview, …}; what else
--             it holds is kept. skipped are rows that have a problem already.
--   p_size    rows of a chunk
--   p_chunks  how many chunks at most; each that is undone lets go of its locks at once
--   p_token   the lease; null where the caller's transaction holds several steps and ends with a checkpoint of its own
-- Answers the cursor behind the chunks, with {ended: true} when there were no more rows, and new problems where all
-- chunks are undone with the caller's transaction.
create function jobs_private.import_step(
  p_job_id uuid, p_token bigint, p_import_id uuid, p_cursor jsonb, p_size integer, p_chunks integer,
  p_checking boolean, p_undo boolean, p_progress jsonb,
  out cursor jsonb, out problems text
)
language plpgsql
set search_path = ''
as $$
declare
  v_after integer := p_cursor ->> 'after';
  v_rows integer := p_cursor ->> 'done';
  v_classify boolean := p_cursor ->> 'classify';
  v_inserted integer := p_cursor #>> '{counts,inserted}';
  v_updated integer := p_cursor #>> '{counts,updated}';
  v_unchanged integer := p_cursor #>> '{counts,unchanged}';
  v_skipped integer := p_cursor #>> '{counts,skipped}';
  v_failed integer := p_cursor #>> '{counts,failed}';
  v_preview jsonb := p_cursor -> 'preview';
  v_problems jobs_private.row_problem[] := '{}';
  v_chunk record;
  v_done record;
  v_ended boolean := false;
begin
  perform jobs_private.check_import(p_job_id, p_import_id);
  for v_n in 1..p_chunks loop
    select * into v_chunk from jobs_private.next_chunk(p_import_id, v_after, p_size);
    v_ended := v_chunk.last_row is null;
    exit when v_ended;
    select * into v_done from jobs_private.import_chunk(
      p_job_id, p_import_id, v_after + 1, v_chunk.last_row, v_chunk.row_count,
      p_checking, p_undo, v_classify, p_checking and jsonb_array_length(v_preview) < 20);
    v_after := v_chunk.last_row;
    v_rows := v_rows + v_chunk.row_count;
    v_classify := p_checking and v_done.failed > 0;
    v_inserted := v_inserted + v_done.inserted;
    v_updated := v_updated + v_done.updated;
    v_unchanged := v_unchanged + v_done.unchanged;
    v_failed := v_failed + v_done.failed;
    v_skipped := v_skipped + v_chunk.row_count
      - v_done.inserted - v_done.updated - v_done.unchanged - v_done.failed;
    v_preview := jsonb_path_query_array(v_preview || coalesce(v_done.preview, '[]'), '$[0 to 19]');
    if p_token is null and not p_undo then
      v_problems := v_problems || v_done.problems;
    end if;
  end loop;

  cursor := p_cursor || jsonb_build_object(
    'after', v_after, 'done', v_rows, 'classify', v_classify, 'preview', v_preview, 'ended', v_ended,
    'counts', jsonb_build_object(
      'inserted', v_inserted, 'updated', v_updated, 'unchanged', v_unchanged, 'skipped', v_skipped, 'failed', v_failed));
  problems := case when cardinality(v_problems) > 0 then v_problems::text end;
  if p_token is not null then
    perform jobs_private.checkpoint(p_job_id, p_token, cursor, p_progress);
  end if;
end;
$$;
comment on function jobs_private.import_step is 'Checks or writes the next chunks of staged rows and moves the cursor behind them.';
revoke all on function jobs_private.import_step from public;
grant execute on function jobs_private.import_step to longshore_worker;
