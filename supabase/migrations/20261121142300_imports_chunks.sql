-- The life of a chunk of rows, in one call: become the owner, write for real, find out what fails and why, undo when
-- checking. A worker makes these calls inside a transaction of its own and ends it with jobs_private.checkpoint(), so
-- that rows, problems and the cursor that counts them are committed together or not at all.
--
-- SQLSTATE: LS005 the target's definition has changed.

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
        if v_mode = 'insert' and not v_preview then
          execute coalesce(case when p_checking then v_statements ->> 'check' end, v_statements ->> 'insert') using p_first, p_last;
          get diagnostics inserted = row_count;
          updated := 0;
        else
          execute case
            when v_preview then v_statements ->> 'write_preview'
            else coalesce(case when p_checking then v_statements ->> 'check' end, v_statements ->> 'write') end
          into inserted, updated, preview using p_first, p_last;
        end if;
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

-- The next rows to work on: the last row number of at most p_size rows behind p_after, up to p_until where that is given, and
-- how many they are. Reads only; for the worker's login.
create function jobs_private.next_chunk(p_import_id uuid, p_after integer, p_size integer, p_until integer default null)
returns table (last_row integer, row_count integer)
language plpgsql
stable
security definer -- reads staging, which the worker may only insert into
set search_path = ''
as $$
begin
  return query execute format(
    'select max(row_number), count(*)::integer from (
       select row_number from jobs_staging.rows_%s where row_number > $1 and row_number <= $3 order by row_number limit $2
     ) rows', (select i.slot from jobs_private.imports i where i.job_id = p_import_id))
  using p_after, p_size, coalesce(p_until, 2147483647);
end;
$$;
comment on function jobs_private.next_chunk is 'Where the next chunk of staged rows ends, and how many rows it has.';
revoke all on function jobs_private.next_chunk from public;
grant execute on function jobs_private.next_chunk to longshore_worker;

-- One step of a check or a commit: the next chunks of rows, and the cursor behind them, in one call.
--   p_cursor  {after, done, counts: {inserted, updated, unchanged, skipped, failed}, classify, preview, …}; what else
--             it holds is kept. skipped are rows that have a problem already.
--   p_size    rows of a chunk
--   p_chunks  as many rows as so many chunks have at most; each chunk that is undone lets go of its locks at once
-- Answers the cursor behind the chunks, with {ended: true} when there were no more rows, and new problems where chunks are
-- not undone one by one: the caller's transaction may undo them all.
create function jobs_private.import_step(
  p_job_id uuid, p_import_id uuid, p_cursor jsonb, p_size integer, p_chunks integer, p_checking boolean, p_undo boolean,
  out cursor jsonb, out problems jobs_private.row_problem[]
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
  v_import jobs_private.imports := jobs_private.import_of(p_import_id);
  v_left integer := p_size * p_chunks;
  v_size integer;
  v_chunk record;
  v_done record;
  v_ended boolean := false;
begin
  problems := '{}';
  perform jobs_private.check_import(p_job_id, p_import_id);
  -- Once for all chunks: what a check has found of a target that changes in between cannot be committed.
  if jobs_private.target_fingerprint((v_import.plan ->> 'target')::regclass) <> v_import.fingerprint then
    raise exception using errcode = 'LS005', message = 'The target has changed since the import was checked';
  end if;
  -- To show 20 rows, a chunk answers all of them, so the first has little more.
  v_size := case when p_checking and jsonb_array_length(v_preview) < 20 then least(100, p_size) else p_size end;
  while v_left > 0 loop
    select * into v_chunk from jobs_private.next_chunk(p_import_id, v_after, least(v_size, v_left));
    v_ended := v_chunk.last_row is null;
    exit when v_ended;
    select * into v_done from jobs_private.import_chunk(
      p_job_id, p_import_id, v_after + 1, v_chunk.last_row, v_chunk.row_count,
      p_checking, p_undo, v_classify, p_checking and jsonb_array_length(v_preview) < 20);
    v_size := p_size;
    v_left := v_left - v_chunk.row_count;
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
    if not p_undo then
      problems := problems || v_done.problems;
    end if;
  end loop;

  cursor := p_cursor || jsonb_build_object(
    'after', v_after, 'done', v_rows, 'classify', v_classify, 'preview', v_preview, 'ended', v_ended,
    'counts', jsonb_build_object(
      'inserted', v_inserted, 'updated', v_updated, 'unchanged', v_unchanged, 'skipped', v_skipped, 'failed', v_failed));
end;
$$;
comment on function jobs_private.import_step is 'Checks or writes the next chunks of staged rows and moves the cursor behind them.';
revoke all on function jobs_private.import_step from public;
grant execute on function jobs_private.import_step to longshore_worker;

-- The first rows that are neither written nor being written: behind which row they begin, the last of at most p_size, how
-- many they are, and p_taken with them. No row where there are none. p_taken has row numbers; what it leaves out between its
-- ranges has rows. Reads only; for the worker's login.
create function jobs_private.next_range(p_import_id uuid, p_taken int4multirange, p_size integer)
returns table (after_row integer, last_row integer, row_count integer, taken int4multirange)
language plpgsql
stable
set search_path = ''
as $$
declare
  v_after integer := coalesce((select upper(r) - 1 from unnest(p_taken) r where lower(r) = 1), 0);
  v_until integer := (select min(lower(r)) - 1 from unnest(p_taken) r where lower(r) > 1);
begin
  return query
  select v_after, c.last_row, c.row_count, p_taken + int4multirange(int4range(v_after, c.last_row, '(]'))
  from jobs_private.next_chunk(p_import_id, v_after, p_size, v_until) c
  where c.last_row is not null;
end;
$$;
comment on function jobs_private.next_range is 'The first staged rows outside of those that are written or being written.';
revoke all on function jobs_private.next_range from public;
grant execute on function jobs_private.next_range to longshore_worker;

-- Adds a range of rows to what a commit has written, with their counts: to the cursor that is saved at this moment, since
-- two sessions may write at once, each its own ranges. p_start is the cursor where none is saved yet. Locks the job's row
-- until COMMIT, then the state row. Answers the cursor. For write_range().
create function jobs_private.count_range(
  p_job_id uuid, p_token bigint, p_start jsonb, p_range int4range, p_step jsonb
)
returns jsonb
language plpgsql
security definer -- reads the job's state
set search_path = ''
as $$
declare
  v_cursor jsonb;
begin
  perform jobs_private.hold_lease(p_job_id, p_token);
  select coalesce(s.cursor, p_start) into v_cursor from jobs_private.job_state s where s.job_id = p_job_id;
  v_cursor := v_cursor || jsonb_build_object(
    'written', (coalesce(v_cursor ->> 'written', '{}')::int4multirange + int4multirange(p_range))::text,
    'done', (v_cursor ->> 'done')::integer + (p_step ->> 'done')::integer,
    'counts', (
      select jsonb_object_agg(c.key, c.value::integer + (p_step -> 'counts' ->> c.key)::integer)
      from jsonb_each_text(v_cursor -> 'counts') c
    ));
  perform jobs_private.checkpoint(p_job_id, p_token, v_cursor);
  return v_cursor;
end;
$$;
comment on function jobs_private.count_range is 'Adds rows that are written to the cursor of their commit.';
revoke all on function jobs_private.count_range from public;
grant execute on function jobs_private.count_range to longshore_worker;

-- Writes a range of rows for good, as the owner, and counts it, in one transaction.
--   p_after, p_last, p_count  as next_range() answers them
--   p_start  the cursor of a commit that has saved none yet
-- Answers the cursor with these rows and whatever else has been counted meanwhile.
create function jobs_private.write_range(
  p_job_id uuid, p_token bigint, p_import_id uuid, p_start jsonb, p_after integer, p_last integer, p_count integer
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_step jsonb;
begin
  select s.cursor into v_step
  from jobs_private.import_step(
    p_job_id, p_import_id,
    '{"done": 0, "classify": false, "preview": [],
      "counts": {"inserted": 0, "updated": 0, "unchanged": 0, "skipped": 0, "failed": 0}}'
      || jsonb_build_object('after', p_after),
    p_count, 1, false, false) s;
  return jobs_private.count_range(p_job_id, p_token, p_start, int4range(p_after, p_last, '(]'), v_step);
end;
$$;
comment on function jobs_private.write_range is 'Writes a range of staged rows and adds it to the cursor of the commit.';
revoke all on function jobs_private.write_range from public;
grant execute on function jobs_private.write_range to longshore_worker;

-- Whether two sessions may write rows of one import at the same time: no row can affect another in the target, none waits
-- for what another creates, and nothing in the table counts in the order of the file. Reads the catalog only; for the
-- worker's login.
create function jobs_private.ranges_are_independent(p_import_id uuid)
returns boolean
language sql
stable
set search_path = ''
as $$
  select jsonb_array_length(i.statements -> 'creates') = 0
    and not jobs_private.rows_touch_each_other(
      t.target, i.plan ->> 'mode',
      array(select jsonb_array_elements_text(i.plan -> 'key')),
      array(select jsonb_array_elements_text(i.plan -> 'row_local_triggers')))
    and not exists (
      select from pg_attribute a
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = t.target and not a.attisdropped
        and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) ~ 'nextval')
    )
  from jobs_private.import_of(p_import_id) i, lateral (select (i.plan ->> 'target')::regclass as target) t
$$;
comment on function jobs_private.ranges_are_independent is 'Whether rows of an import can be written by two sessions at the same time.';
revoke all on function jobs_private.ranges_are_independent from public;
grant execute on function jobs_private.ranges_are_independent to longshore_worker;
