-- What an import tells people: the nearest names for what was not found, counts, the first problems as rows of the
-- API, and all of them as a file that can be corrected and uploaded again.

-- Counts a check's problems: without statistics the planner takes them for few, and would look 200,000 rows up one by one.
-- Keeps other vacuums off them until the transaction ends. For suggest_references(), with the lease.
create function jobs_private.analyze_problems(p_job_id uuid, p_token bigint)
returns void
language plpgsql
security definer -- whoever analyzes a table must own it
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  execute format('analyze jobs_staging.problems_%s (row_number, column_index, phase)', (jobs_private.import_of(p_job_id)).slot);
end;
$$;
comment on function jobs_private.analyze_problems is 'Analyzes the staged problems of a check.';
revoke all on function jobs_private.analyze_problems from public;
grant execute on function jobs_private.analyze_problems to longshore_worker;

-- Completes what a check has found, as the owner: references that do not exist in rows that were never tried, and the nearest
-- existing name of every reference that was not found (the first 100 of a column): names that the owner may not read are
-- not suggested. May be called again. Changes the import's problems and suggestions, locks its row. For the worker's
-- login, with the lease.
create function jobs_private.suggest_references(p_job_id uuid, p_token bigint)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_import jobs_private.imports := jobs_private.import_of(p_job_id);
  v_suggestions jsonb := '{}';
  v_query record;
  v_names jsonb;
  v_found jobs_private.row_problem[];
  v_problems jobs_private.row_problem[] := '{}';
begin
  perform jobs_private.analyze_problems(p_job_id, p_token);
  perform jobs_private.become_importer(p_job_id, v_import.plan);
  for v_query in select value as query from jsonb_each_text(v_import.statements -> 'unresolved') loop
    execute format(
      'select coalesce(array_agg(row(row_number, column_index, code, message, left(value, 200))::jobs_private.row_problem), ''{}'')
       from (%s) found (row_number, column_index, code, message, value)', v_query.query)
    into v_found;
    v_problems := v_problems || v_found;
  end loop;
  perform jobs_private.become_worker();
  execute format(
    'insert into jobs_staging.problems_%s (row_number, column_index, code, message, value, phase)
     select p.row_number, p.column_index, p.code, p.message, p.value, 1 from unnest($1) p', v_import.slot)
  using v_problems;

  perform jobs_private.become_importer(p_job_id, v_import.plan);
  for v_query in select key as place, value as query from jsonb_each_text(v_import.statements -> 'nearest') loop
    execute v_query.query into v_names;
    v_suggestions := v_suggestions || jsonb_strip_nulls(jsonb_build_object(v_query.place, v_names));
  end loop;
  perform jobs_private.become_worker();
  perform jobs_private.keep_suggestions(p_job_id, p_token, v_suggestions);
end;
$$;
comment on function jobs_private.suggest_references is 'Finds the references that do not exist in rows that were never tried, and the nearest existing names of all.';
revoke all on function jobs_private.suggest_references from public;
grant execute on function jobs_private.suggest_references to longshore_worker;

-- Stores what suggest_references() has found, for which the owner's rights do not reach. Locks the import's row.
create function jobs_private.keep_suggestions(p_job_id uuid, p_token bigint, p_suggestions jsonb)
returns void
language plpgsql
security definer -- the worker may not write the engine's tables
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  update jobs_private.imports set suggestions = p_suggestions where job_id = p_job_id;
end;
$$;
comment on function jobs_private.keep_suggestions is 'Stores the suggestions of an import.';
revoke all on function jobs_private.keep_suggestions from public;
grant execute on function jobs_private.keep_suggestions to longshore_worker;

-- Forgets the problems that an attempt in one transaction has left behind, for one that starts over. Locks the staged
-- problems it removes. For the worker's login, with the lease, and for the job's own import only.
create function jobs_private.forget_problems(p_job_id uuid, p_token bigint, p_import_id uuid, p_checking boolean)
returns void
language plpgsql
security definer -- cleans staging
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  perform jobs_private.check_import(p_job_id, p_import_id);
  execute format('delete from jobs_staging.problems_%s where phase = $1', (jobs_private.import_of(p_import_id)).slot)
  using case when p_checking then 2 else 3 end;
end;
$$;
comment on function jobs_private.forget_problems is 'Removes the problems that checking, or committing, has found.';
revoke all on function jobs_private.forget_problems from public;
grant execute on function jobs_private.forget_problems to longshore_worker;

-- Stages problems that a transaction has found which is going to be rolled back. For the worker's login, with the lease,
-- and for the job's own import only.
create function jobs_private.record_problems(
  p_job_id uuid, p_token bigint, p_import_id uuid, p_problems jobs_private.row_problem[], p_checking boolean
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  perform jobs_private.check_import(p_job_id, p_import_id);
  perform jobs_private.keep_problems((jobs_private.import_of(p_import_id)).slot, p_problems, p_checking);
end;
$$;
comment on function jobs_private.record_problems is 'Stages problems found by a transaction that is undone.';
revoke all on function jobs_private.record_problems from public;
grant execute on function jobs_private.record_problems to longshore_worker;

-- What a finished check has said: how many rows there are, and how many of them have a problem. Reads one row; for the
-- worker's login.
create function jobs_private.checked_rows(p_import_id uuid)
returns table (row_count integer, invalid_count integer)
language sql
stable
security definer -- the worker may not read jobs
set search_path = ''
as $$
  select (j.result ->> 'rows')::integer, (j.result ->> 'invalid')::integer from jobs.jobs j where j.id = p_import_id
$$;
comment on function jobs_private.checked_rows is 'How many rows a check has found, and how many of them have a problem.';
revoke all on function jobs_private.checked_rows from public;
grant execute on function jobs_private.checked_rows to longshore_worker;

-- Counts of a check: rows with a problem, problems by code. Reads only; for the worker's login.
create function jobs_private.count_problems(p_import_id uuid)
returns table (invalid_count integer, problems_by_code jsonb)
language plpgsql
stable
security definer -- reads staging
set search_path = ''
as $$
begin
  return query execute format(
    'select (select count(distinct row_number)::integer from jobs_staging.problems_%1$s where phase < 3),
       (select coalesce(jsonb_object_agg(code, n order by n desc, code), ''{}'') from (
          select code, count(*) as n from jobs_staging.problems_%1$s where phase < 3 group by code
        ) codes)', (select i.slot from jobs_private.imports i where i.job_id = p_import_id));
end;
$$;
comment on function jobs_private.count_problems is 'Counts of rows with problems at the check, and of problems by code.';
revoke all on function jobs_private.count_problems from public;
grant execute on function jobs_private.count_problems to longshore_worker;

-- The name of a cell, such as D17, for a column's place in the file from 0 and a row number.
create function jobs_private.cell_name(p_index integer, p_row integer)
returns text
language sql
immutable
set search_path = ''
as $$
  with recursive letters (rest, name) as (
    select p_index, ''
    union all
    select rest / 26 - 1, chr(65 + rest % 26) || name from letters where rest >= 0
  )
  select name || p_row from letters where rest < 0
$$;
comment on function jobs_private.cell_name is 'The name of a cell as a spreadsheet shows it.';
revoke all on function jobs_private.cell_name from public;

-- An expression for what people are told of a problem p: its message, and the nearest name where a reference was not found.
create function jobs_private.told(p_suggestions jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
  select case when p_suggestions = '{}' then 'p.message'
    else format(
      $q$(p.message || case when p.code = 'unknown_reference'
            then coalesce('; the nearest is "' || (%L::jsonb -> p.column_index::text ->> p.value) || '"', '') else '' end)$q$,
      p_suggestions) end
$$;
comment on function jobs_private.told is 'An expression for the message of a problem with the suggestions of its import.';
revoke all on function jobs_private.told from public;

-- Shows the first problems of the given phases (jobs.settings.problems_kept) to those who may read the job, in place of
-- any shown before.
-- Values of sensitive columns are masked; what a trigger has raised is told as it is, since the API would tell it too.
-- For the worker's login, with the lease, and for the job's own import only.
create function jobs_private.publish_problems(p_job_id uuid, p_token bigint, p_import_id uuid, p_phases smallint[])
returns void
language plpgsql
security definer -- writes a table that nobody else may write
set search_path = ''
as $$
declare
  v_import jobs_private.imports := jobs_private.import_of(p_import_id);
  v_sheet text := v_import.plan ->> 'sheet';
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  perform jobs_private.check_import(p_job_id, p_import_id);
  delete from jobs.import_problems where job_id = p_job_id;
  execute format(
    $q$with first as (
         select p.row_number, p.column_index, p.code, %3$s as message, p.value from jobs_staging.problems_%1$s p
         where p.phase = any ($1) order by p.row_number, p.column_index nulls last, p.code limit %2$s
       ), columns as (
         select ordinality::smallint as place, value as declared from jsonb_array_elements($2 -> 'columns') with ordinality
       )
       insert into jobs.import_problems (job_id, row, line, sheet, cell, "column", heading, code, message, value)
       select $3, f.row_number, r.line, $4,
         case when $4 is not null and c.declared ->> 'file_index' is not null
           then jobs_private.cell_name((c.declared ->> 'file_index')::integer, f.row_number) end,
         c.declared ->> 'name', c.declared ->> 'heading', f.code, f.message,
         case when f.value is null then null when (c.declared ->> 'sensitive')::boolean then '•••' else f.value end
       from first f
       left join columns c on c.place = f.column_index
       left join jobs_staging.rows_%1$s r on r.row_number = f.row_number
       order by f.row_number, f.column_index nulls last, f.code$q$,
    v_import.slot, (select problems_kept from jobs.settings), jobs_private.told(v_import.suggestions))
  using p_phases, v_import.plan, p_job_id, v_sheet;
end;
$$;
comment on function jobs_private.publish_problems is 'Fills jobs.import_problems with the first problems of an import.';
revoke all on function jobs_private.publish_problems from public;
grant execute on function jobs_private.publish_problems to longshore_worker;

-- The query behind problems.csv, for COPY as the owner: the file's own columns as they stood, then problem_row,
-- problem_codes and problem_messages. p_places are the file's columns, from 0, that are to be in it.
create function jobs_private.problems_file_query(p_import_id uuid, p_places integer[])
returns text
language sql
stable
security definer -- reads the engine's tables
set search_path = ''
as $$
  select format(
    $q$select %1$s, s.row_number, p.codes, p.messages
       from (
         -- Few rows have more than one problem, and of one code there is nothing to sort.
         select p.row_number,
           case when count(*) = 1 then min(p.code)
             else (select string_agg(distinct c, ' ' order by c) from unnest(array_agg(p.code)) c) end as codes,
           string_agg(%3$s, '; ' order by p.column_index nulls last, p.code) as messages
         from jobs_staging.own_problems_%2$s p group by p.row_number
       ) p
       join jobs_staging.own_rows_%2$s s on s.row_number = p.row_number
       -- Parsed once a row, not once a column.
       cross join lateral (select s.raw::jsonb as cells offset 0) r
       order by s.row_number$q$,
    (
      select string_agg(
        format('case when s.raw is null then %s else r.cells ->> %s end',
          coalesce((
            select 's.c' || c.ordinality from jsonb_array_elements(i.plan -> 'columns') with ordinality c
            where (c.value ->> 'file_index')::integer = n
          ), 'null'), n), ', ' order by n)
      from unnest(p_places) n
    ), i.slot, jobs_private.told(i.suggestions))
  from jobs_private.imports i where i.job_id = p_import_id
$$;
comment on function jobs_private.problems_file_query is 'The query behind problems.csv, to be run as the owner.';
revoke all on function jobs_private.problems_file_query from public;
grant execute on function jobs_private.problems_file_query to longshore_worker;
