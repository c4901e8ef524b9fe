-- What the database says of a row, as a problem: by the expressions of the catalog for many rows at once, by the error of the
-- write for one.

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
    into v_found using p_first, p_last;
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
