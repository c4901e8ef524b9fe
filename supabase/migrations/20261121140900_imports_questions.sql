-- Texts of the questions that an import asks about the cells of one column: what a lookup finds, makes or misses, and what is
-- no value of the column's type. Pieces for compile_import(), which knows the whole plan.
--
-- p_lookup is a column's lookup out of a plan, p_fixed the plan's fixed values, p_place the column's place, p_rows and p_free
-- the owner's view of the staged rows and which of them are free of problems. Names go through %I, values through %L.

-- Names near a misspelt one are found by edit distance.
create extension if not exists fuzzystrmatch with schema extensions;

-- How a message names a cell: the column's title and the value, or the title alone where the column is sensitive.
create function jobs_private.shown(p_title text, p_declared jsonb, p_value text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case when (p_declared ->> 'sensitive')::boolean then quote_literal(p_title)
    else format('%L || ''"'' || left(%s, 80) || ''"''', p_title || ' ', p_value) end
$$;
comment on function jobs_private.shown is 'An expression for how a message names a cell.';
revoke all on function jobs_private.shown from public;
grant execute on function jobs_private.shown to longshore_worker;

-- What a row of a lookup's table x has to fulfil to be within the scope: `x.project_id = '…' and `, or nothing.
create function jobs_private.within_scope(p_lookup jsonb, p_fixed jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
  select coalesce(string_agg(format('x.%I = %L and ', w.key, p_fixed ->> w.value), ''), '')
  from jsonb_each_text(p_lookup -> 'within') w
$$;
comment on function jobs_private.within_scope is 'Conditions, each followed by "and", for rows x of a lookup''s table.';
revoke all on function jobs_private.within_scope from public;
grant execute on function jobs_private.within_scope to longshore_worker;

-- Raises where a value could match several rows of the lookup's table: a row must not be written once for each.
create function jobs_private.check_lookup(p_lookup jsonb, p_title text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if not exists (
    select from pg_index i
    where i.indrelid = (p_lookup ->> 'table')::regclass and i.indisunique and i.indpred is null and i.indexprs is null
      and (
        select array_agg(x.attname::text) from pg_attribute x
        where x.attrelid = i.indrelid and x.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])
      ) <@ (array[p_lookup ->> 'match'] || array(select jsonb_object_keys(coalesce(p_lookup -> 'within', '{}'))))
  ) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = format('Cannot look "%s" up in "%s": found no unique index on "%s" within the scope, expected one, '
        'since a row must not be written once for each that it matches',
        p_title, p_lookup ->> 'table', p_lookup ->> 'match');
  end if;
end;
$$;
comment on function jobs_private.check_lookup is 'Raises unless a unique index holds what a lookup matches within its scope.';
revoke all on function jobs_private.check_lookup from public;
grant execute on function jobs_private.check_lookup to longshore_worker;

-- Joins the row that a lookup finds to the staged row s, as l<place>.
create function jobs_private.lookup_join(p_lookup jsonb, p_fixed jsonb, p_place integer)
returns text
language sql
immutable
set search_path = ''
as $$
  select format(' left join %1$s l%2$s on l%2$s.%3$I = s.c%2$s', p_lookup ->> 'table', p_place, p_lookup ->> 'match')
    || coalesce(string_agg(format(' and l%s.%I = %L', p_place, w.key, p_fixed ->> w.value), ''), '')
  from jsonb_each_text(p_lookup -> 'within') w
$$;
comment on function jobs_private.lookup_join is 'A join of what a lookup finds.';
revoke all on function jobs_private.lookup_join from public;
grant execute on function jobs_private.lookup_join to longshore_worker;

-- Values that problems say were not found → the nearest that exists, as one object; the first hundred.
create function jobs_private.nearest_query(p_lookup jsonb, p_fixed jsonb, p_place integer, p_problems text)
returns text
language sql
immutable
set search_path = ''
as $$
  select format(
    $q$with there as materialized (select x.%1$I as name from %2$s x where %3$s octet_length(x.%1$I) <= 200),
         missing as (
           select distinct p.value as name from %5$s p
           where p.code = 'unknown_reference' and p.column_index = %4$s and octet_length(p.value) <= 200
           except select name from there order by 1 limit 100
         )
       select jsonb_object_agg(m.name, n.name) from missing m cross join lateral (
         select t.name, extensions.levenshtein_less_equal(lower(t.name), lower(m.name), 3) as distance from there t
         where abs(length(t.name) - length(m.name)) <= 3 order by distance, t.name limit 1
       ) n where n.distance <= least(3, length(m.name) / 2)$q$,
    p_lookup ->> 'match', p_lookup ->> 'table', jobs_private.within_scope(p_lookup, p_fixed), p_place, p_problems)
$$;
comment on function jobs_private.nearest_query is 'A query for the nearest existing names of those that a lookup did not find.';
revoke all on function jobs_private.nearest_query from public;
grant execute on function jobs_private.nearest_query to longshore_worker;

-- Rows that reading has found a problem with and whose reference does not exist either, as row_problem. Names come first:
-- where all of them exist, no row is looked at twice.
create function jobs_private.unresolved_query(
  p_lookup jsonb, p_fixed jsonb, p_place integer, p_rows text, p_problems text, p_shown text
)
returns text
language sql
immutable
set search_path = ''
as $$
  select format(
    $q$with missing as materialized (
         select distinct s.c%1$s as name from %3$s s
         where s.c%1$s is not null and not exists (select from %5$s x where %6$s x.%7$I = s.c%1$s)
       )
       select s.row_number, %1$s::smallint, 'unknown_reference', %2$s || ' was not found', s.c%1$s
       from %3$s s
       where s.c%1$s in (select m.name from missing m)
         and s.row_number in (select p.row_number from %4$s p where p.phase = 1)
         -- Not for a cell that could not even be read.
         and not exists (select from %4$s p where p.row_number = s.row_number and p.column_index = %1$s)$q$,
    p_place, p_shown, p_rows, p_problems, p_lookup ->> 'table',
    jobs_private.within_scope(p_lookup, p_fixed), p_lookup ->> 'match')
$$;
comment on function jobs_private.unresolved_query is 'A query for references that do not exist, of rows that the write never gets to see.';
revoke all on function jobs_private.unresolved_query from public;
grant execute on function jobs_private.unresolved_query to longshore_worker;

-- Makes the rows that a lookup misses, where the dataset's options say so. In the order of their names, so that two that make
-- the same ones wait for each other and not both ways.
create function jobs_private.create_query(p_lookup jsonb, p_fixed jsonb, p_place integer, p_rows text, p_free text)
returns text
language sql
stable
set search_path = ''
as $$
  select format(
    'insert into %1$s (%2$s%3$I) select distinct %4$ss.c%5$s from %6$s s where %7$s and s.c%5$s is not null'
    ' and not exists (select from %1$s x where %8$sx.%3$I = s.c%5$s) order by s.c%5$s on conflict do nothing',
    p_lookup ->> 'table',
    string_agg(format('%I, ', w.key), '' order by w.key),
    p_lookup ->> 'match',
    string_agg(
      format('%L::%s, ', p_fixed ->> w.value,
        (select format_type(x.atttypid, -1) from pg_attribute x where x.attrelid = (p_lookup ->> 'table')::regclass and x.attname = w.key)),
      '' order by w.key),
    p_place, p_rows, p_free, jobs_private.within_scope(p_lookup, p_fixed))
  from jsonb_each_text(p_lookup -> 'within') w
$$;
comment on function jobs_private.create_query is 'A statement that makes the rows which a lookup misses.';
revoke all on function jobs_private.create_query from public;
grant execute on function jobs_private.create_query to longshore_worker;

-- Rows whose text is no value of the column's type, as row_problem, with the value as it stood in the file.
create function jobs_private.type_query(
  p_declared jsonb, p_title text, p_place integer, p_type pg_catalog.pg_type, p_full_type text, p_rows text, p_free text
)
returns text
language sql
stable
set search_path = ''
as $$
  select format(
    $q$select s.row_number, %1$s::smallint as column_index,
         case e.sql_error_code when '22001' then 'too_long' when '22003' then 'out_of_range' else %2$L end as code,
         %3$s || ' is no ' || %4$L || ': ' || case e.sql_error_code when '22001' then 'it is too long' when '22003' then 'it is out of range'
           else 'expected ' || %5$L end as message,
         coalesce(s.raw::jsonb ->> %6$s, s.c%1$s) as value
       from %7$s s cross join lateral pg_input_error_info(s.c%1$s, %4$L) e
       where %8$s and s.c%1$s is not null and not pg_input_is_valid(s.c%1$s, %4$L)$q$,
    p_place,
    case
      when p_type.typtype = 'e' then 'not_in_list'
      when p_type.typname in ('numeric', 'int2', 'int4', 'int8', 'float4', 'float8') then 'invalid_number'
      when p_type.typname in ('date', 'timestamp', 'timestamptz', 'time', 'timetz') then 'invalid_date'
      when p_type.typtype = 'd' then 'rule_violated'
      when p_type.typname in ('varchar', 'bpchar') then 'too_long'
      else 'invalid_type'
    end,
    jobs_private.shown(p_title, p_declared, format('s.c%s', p_place)),
    p_full_type,
    coalesce(
      (select 'one of ' || string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum where enumtypid = p_type.oid),
      p_full_type),
    coalesce(p_declared ->> 'file_index', '0'), p_rows, p_free)
$$;
comment on function jobs_private.type_query is 'A query for rows whose text is no value of a column''s type.';
revoke all on function jobs_private.type_query from public;
grant execute on function jobs_private.type_query to longshore_worker;
