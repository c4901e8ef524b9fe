-- An export reads its rows through one cursor, opened as the person who asked: one snapshot, however long it takes, and
-- the rows that row security shows this person. Postgres renders whole blocks of the file, since a message a row costs an
-- isolate more of its two seconds than anything else. A worker calls these functions in one transaction; each becomes the
-- owner and itself again, so that what the owner's rights do not reach can be called in between.

-- The condition that a request makes of one column: {column, operator, value}. The names go through %I, the values
-- through %L. Reads nothing.
create function jobs_private.export_condition(p_condition jsonb) returns text
language sql immutable
set search_path = ''
as $$
  select case p_condition ->> 'operator'
    when 'in' then format('s.%I = any (%L)', p_condition ->> 'column',
      (select array_agg(value)::text from jsonb_array_elements_text(p_condition -> 'value')))
    when 'is' then format('s.%I = %L', p_condition ->> 'column', p_condition ->> 'value')
    when 'from_number' then format('s.%I >= %L::numeric', p_condition ->> 'column', p_condition ->> 'value')
    when 'to_number' then format('s.%I <= %L::numeric', p_condition ->> 'column', p_condition ->> 'value')
    when 'from_day' then format('s.%I >= %L::date', p_condition ->> 'column', p_condition ->> 'value')
    when 'to_day' then format('s.%I < %L::date + 1', p_condition ->> 'column', p_condition ->> 'value')
    when 'ranges' then (
      select '(' || string_agg(
        format('(%s)', concat_ws(' and ',
          format('s.%I is not null', p_condition ->> 'column'),
          case when r ? 'from' then format('s.%I >= %L::numeric', p_condition ->> 'column', r ->> 'from') end,
          case when r ? 'below' then format('s.%I < %L::numeric', p_condition ->> 'column', r ->> 'below') end)),
        ' or ') || ')'
      from jsonb_array_elements(p_condition -> 'value') r
    )
  end
$$;
comment on function jobs_private.export_condition is 'One condition of an export''s query';
revoke all on function jobs_private.export_condition from public;
grant execute on function jobs_private.export_condition to longshore_worker;

-- What stands for one column {source, name, type} in a format. A text that a spreadsheet would run as a formula gets an
-- apostrophe before it (OWASP: = + - @, tab, line breaks, and the full-width forms), unless it is a plain number; a
-- workbook knows texts from formulas by itself, and NDJSON is for programs. Times are UTC, to the second. Reads nothing.
create function jobs_private.export_expression(p_column jsonb, p_format text) returns text
language sql immutable
set search_path = ''
as $$
  select case
    when p_format = 'ndjson' then format('s.%I as %I', p_column ->> 'source', p_column ->> 'name')
    when p_column ->> 'type' = 'timestamp'
      then format(case p_format when 'csv' then 's.%I::timestamp(0)' else 's.%I::timestamp(0)::text' end, p_column ->> 'source')
    when p_format = 'csv' and p_column ->> 'type' = 'text' then format(
      $q$case
           when ascii(s.%1$I::text) in (61, 43, 45, 64, 9, 10, 13, 65309, 65291, 65293, 65312)
             and s.%1$I::text !~ '^[+-]?[0-9]+([.,][0-9]+)?$'
           then '''' || s.%1$I::text else s.%1$I::text end$q$, p_column ->> 'source')
    when p_format = 'csv' and p_column ->> 'type' <> 'boolean' then format('s.%I', p_column ->> 'source')
    else format('s.%I::text', p_column ->> 'source')
  end
$$;
comment on function jobs_private.export_expression is 'One column of an export''s query, as its format wants it';
revoke all on function jobs_private.export_expression from public;
grant execute on function jobs_private.export_expression to longshore_worker;

-- The query of an export, a line of the file a row: of a plan {source, filters, conditions, columns, order, format}. The
-- output of a record is CSV but for its parentheses, which go here, and its doubled backslashes, which go with each
-- block; it is the cheapest text of a row that there is. Rendering comes after the sort, which then has less to carry.
-- Lines are bytes, since cutting a text counts its characters. Reads nothing.
create function jobs_private.compile_export(p_plan jsonb) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  v_format text := p_plan ->> 'format';
  v_source text[] := string_to_array(replace(p_plan ->> 'source', '(filters)', ''), '.');
  v_count integer := jsonb_array_length(p_plan -> 'columns');
  v_rows text;
  v_cells text;
begin
  v_rows := format('select * from %I.%I%s s', v_source[1], v_source[2],
    case when p_plan ->> 'source' like '%(filters)' then format('(%L::jsonb)', p_plan -> 'filters') else '' end);
  v_rows := v_rows || coalesce((
    select ' where ' || string_agg(jobs_private.export_condition(c), ' and ')
    from jsonb_array_elements(p_plan -> 'conditions') c
  ), '');
  v_rows := v_rows || coalesce((
    select ' order by ' || string_agg(
      format('s.%I%s', o.value ->> 'column', case when (o.value ->> 'descending')::boolean then ' desc nulls last' else '' end),
      ', ' order by o.ordinality)
    from jsonb_array_elements(p_plan -> 'order') with ordinality o
  ), '') || ' offset 0';

  v_cells := (
    select string_agg(jobs_private.export_expression(c.value, v_format), ', ' order by c.ordinality)
    from jsonb_array_elements(p_plan -> 'columns') with ordinality c
  );
  if v_format = 'ndjson' then
    return format(
      'select convert_to(row_to_json(l)::text, ''UTF8'') from (select %s from (%s) s offset 0) l', v_cells, v_rows);
  elsif v_format = 'xlsx' then
    return format('select convert_to(json_build_array(%s)::text, ''UTF8'') from (%s) s', v_cells, v_rows);
  end if;
  if v_count = 1 then
    -- A line with nothing on it would be no row.
    v_cells := format('coalesce((%s)::text, '''')', v_cells);
  end if;
  return format(
    'select substring(l.line from 2 for octet_length(l.line) - 2)
     from (select convert_to(row(%s)::text, ''UTF8'') as line from (%s) s offset 0) l', v_cells, v_rows);
end;
$$;
comment on function jobs_private.compile_export is 'The query of an export, of its plan';
revoke all on function jobs_private.compile_export from public;
grant execute on function jobs_private.compile_export to longshore_worker;

-- Opens the cursor of an export as the owner of the job, with the rights of this moment: its rows are those of this
-- snapshot. Raises LS003 where the owner's account is gone. The planner is told that all rows will be read; more memory
-- made sorts slower, not faster. Locks nothing; for the worker's login, in the transaction that reads the rows.
create function jobs_private.open_export(p_job_id uuid, p_plan jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_query text := jobs_private.compile_export(p_plan);
  v_cursor refcursor := 'longshore_export';
begin
  perform
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO, YMD', true),
    set_config('cursor_tuple_fraction', '1', true),
    set_config('jit', 'off', true),
    set_config('request.jwt.claims', jobs_private.owner_claims(p_job_id)::text, true),
    set_config('role', 'authenticated', true);
  open v_cursor no scroll for execute v_query;
  perform set_config('role', 'none', true);
end;
$$;
comment on function jobs_private.open_export is 'Opens the cursor of an export as the owner of its job';
revoke all on function jobs_private.open_export from public;
grant execute on function jobs_private.open_export to longshore_worker;

-- The next lines of this transaction's export. It gives nobody more than the transaction has: signed-in people may call
-- it since they are who reads here.
create function jobs_private.export_lines(p_count integer) returns setof bytea
language plpgsql
set search_path = ''
as $$
begin
  return query execute format('fetch forward %s from longshore_export', p_count);
end;
$$;
comment on function jobs_private.export_lines is 'The next lines of the export that this transaction reads';
revoke all on function jobs_private.export_lines from public;
grant execute on function jobs_private.export_lines to authenticated, longshore_worker;

-- The next block of the file, read as the owner; no content at the end. Lines of CSV and NDJSON are complete, those for a
-- workbook are JSON arrays with commas between. It has at most p_count rows, and ends at 4 MB, since an isolate has to
-- hold some: rows after many short ones may be a thousand times longer, hence few at a time. For the worker's login,
-- behind open_export().
create function jobs_private.fetch_export(p_format text, p_count integer, out content text, out row_count integer)
language plpgsql
set search_path = ''
as $$
declare
  v_end bytea := convert_to(case p_format when 'csv' then E'\r\n' when 'ndjson' then E'\n' else ',' end, 'UTF8');
  v_parts bytea[] := '{}';
  v_bytes bigint := 0;
  v_step integer := 16;
  v_lines bytea;
  v_found integer;
begin
  row_count := 0;
  perform set_config('role', 'authenticated', true);
  loop
    v_step := least(v_step, p_count - row_count);
    select string_agg(l, v_end), count(*) into v_lines, v_found from jobs_private.export_lines(v_step) l;
    exit when v_found = 0;
    v_parts := v_parts || v_lines;
    v_bytes := v_bytes + octet_length(v_lines);
    row_count := row_count + v_found;
    exit when v_found < v_step or row_count >= p_count or v_bytes >= 4000000;
    v_step := least(v_step * 4, 256);
  end loop;
  perform set_config('role', 'none', true);
  content := convert_from((select string_agg(p, v_end order by n) from unnest(v_parts) with ordinality u (p, n)), 'UTF8');
  if p_format = 'csv' and strpos(content, '\') > 0 then
    content := replace(content, '\\', '\');
  end if;
  if p_format <> 'xlsx' then
    content := content || convert_from(v_end, 'UTF8');
  end if;
end;
$$;
comment on function jobs_private.fetch_export is 'The next block of an export''s file';
revoke all on function jobs_private.fetch_export from public;
grant execute on function jobs_private.fetch_export to longshore_worker;
