-- A dataset's write is one set-based statement, the same for check and commit. It is made here, from the plan (what
-- the dataset, the scope and the mapping say) and from the catalog (what the target really is), together with the
-- query that finds out which rows of a chunk would fail, and why, without trying them one by one.

-- A plan, as the importer sends it:
--   target   "pipetrak.components"
--   mode     "insert" | "upsert" | "update"
--   key      target columns that identify a row, such as ["project_id", "tag"]
--   fixed    target column → text, the same for all rows, such as {"project_id": "…"}
--   authorize  "pipetrak.authorize_import": scope → the organization's id, or null where the caller may not import
--   scope    what `authorize` is asked
--   row_local_triggers  triggers of the target that touch nothing but what belongs to their own row and change nothing
--            that the file gives
--   columns  [{name, target, heading, file_index, mapped, required, sensitive, title,
--              lookup?: {table, match, value, within: {column of table: target column in fixed}, create,
--                suggest?: false}}];
--            the n-th is staged in c<n>

-- Makes the statements of an import. $1 and $2 of each are the first and last row number.
--   write         writes the rows without problems, answers (inserted, updated)
--   insert        the same for mode insert, answers nothing: the server's own count costs less than to return each row
--   check         what a check runs instead of write or insert, where the target makes random keys: with keys in ascending
--                 order behind a random beginning, each as good as the one that the commit makes. Random ones cost a check
--                 up to a third of its time, since each goes to another page of the index; null elsewhere
--   write_preview the same, answers also the rows as they were written
--   write_row, write_preview_row  the same for the one row $1: a range may hold any number of rows and has to be planned
--                 each time, one plan for "=" serves every row
--   creates[]     run before it: rows that a lookup makes where the dataset's options say so
--   changes       how many rows that would insert or update, where a trigger may leave some out; null elsewhere
--   types         rows whose text is no value of its column's type, as row_problem
--   rules         rows that required columns, references, keys, CHECKs or policies refuse, as row_problem
--   nearest       by place of a column with a lookup: values that problems say were not found → the nearest that exists
--   refused       how many rows have a problem already
--   unresolved    by place of a column with a lookup: rows with a problem of reading whose reference does not exist either
--   ready         the numbers of the rows that `write` would write
--   key           an expression over a staged row s that is equal where keys are equal; null where there is no key
create function jobs_private.compile_import(p_plan jsonb, p_slot integer)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
  v_target regclass := (p_plan ->> 'target')::regclass;
  v_alias text := (select relname from pg_class where oid = v_target);
  v_mode text := p_plan ->> 'mode';
  v_key text[] := array(select jsonb_array_elements_text(p_plan -> 'key'));
  v_rows text := format('jobs_staging.own_rows_%s', p_slot);
  v_problems text := format('jobs_staging.own_problems_%s', p_slot);
  v_free text; -- staged rows of the range that have no problem yet
  v_joins text := '';
  v_found text := ''; -- every lookup found what it looked for
  v_created text[] := '{}';
  v_names text[] := '{}'; -- target columns that are written, fixed ones first
  v_values text[] := '{}'; -- their values out of a staged row
  v_inserts text[] := '{}'; -- the same with the column's default for an empty cell, where the column has one
  v_random text[] := '{}'; -- target columns that nobody writes and the target fills at random
  v_sets text[] := '{}';
  v_old text[] := '{}';
  v_new text[] := '{}';
  v_key_match text;
  v_key_place integer; -- the first of the file's columns that are the key, which a problem of the key points at
  v_key_parts text[] := '{}';
  v_types text[] := '{}';
  v_nearest jsonb := '{}';
  v_unresolved jsonb := '{}';
  v_inner text[] := '{}'; -- columns of the target as they would be, for the expressions of the catalog
  v_generated text[] := '{}'; -- columns that the database computes of those
  v_flags text[] := '{}'; -- boolean expressions over them, named by number: a name of 63 bytes leaves no room for more
  v_flag_names text[] := '{}';
  v_rules text[] := '{}';
  v_before boolean;
  v_policy text;
  v_column record;
  v_constraint record;
  v_source text;
  v_insert text;
  v_check text;
  v_into text; -- what is inserted, and what of; and the same with keys for a check
  v_from text;
  v_check_into text;
  v_check_from text;
  v_write text;
  v_preview text;
  v_changes text;
  v_rules_query text;
  v_value text;
  v_shown text;
begin
  v_free := format(
    's.row_number between $1 and $2 and not exists (select from %s p where p.row_number = s.row_number and p.row_number between $1 and $2)',
    v_problems);

  -- A trigger before the write may change the row; then only the write itself can say what it violates.
  v_before := exists (
    select from pg_trigger
    where tgrelid = v_target and not tgisinternal and tgenabled <> 'D' and tgtype & 2 = 2
      and tgtype & case v_mode when 'insert' then 4 when 'update' then 16 else 20 end <> 0
      and not p_plan -> 'row_local_triggers' ? tgname
  );

  for v_column in
    select a.attnum, a.attname::text as target, f.value as fixed, c.ordinality::integer as place, c.value as declared,
      -- Without a modifier "character" and "bit" would mean one of them, and a cast would cut the value off in silence.
      format_type(a.atttypid, -1) as type, format_type(a.atttypid, a.atttypmod) as full_type,
      t as of_type, t.typname, a.attnotnull, a.attgenerated, a.attidentity,
      pg_get_expr(d.adbin, d.adrelid) as default_value
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join jsonb_each_text(p_plan -> 'fixed') f on f.key = a.attname
    left join jsonb_array_elements(p_plan -> 'columns') with ordinality c
      on c.value ->> 'target' = a.attname and (c.value ->> 'mapped')::boolean
    where a.attrelid = v_target and a.attnum > 0 and not a.attisdropped
    order by f.value is null, a.attnum
  loop
    declare
      v_cell text := format('s.c%s', v_column.place);
      v_lookup jsonb := v_column.declared -> 'lookup';
      v_expr text;
      v_default text := case when v_column.attgenerated = '' and v_column.default_value !~ 'nextval' then v_column.default_value end;
      v_title text := coalesce(v_column.declared ->> 'title', v_column.target);
    begin
      if v_column.fixed is not null then
        v_expr := format('%L::%s', v_column.fixed, v_column.full_type);
      elsif v_column.place is null then
        v_expr := null;
      elsif v_lookup is not null then
        perform jobs_private.check_lookup(v_lookup, v_title);
        v_joins := v_joins || jobs_private.lookup_join(v_lookup, p_plan -> 'fixed', v_column.place);
        v_expr := format('l%s.%I', v_column.place, v_lookup ->> 'value');
        v_found := v_found || format(' and (%s is null or %s is not null)', v_cell, v_expr);
        if coalesce((v_lookup ->> 'suggest')::boolean, true) then
          v_nearest := v_nearest || jsonb_build_object(
            v_column.place, jobs_private.nearest_query(v_lookup, p_plan -> 'fixed', v_column.place, v_problems));
        end if;
        if (v_lookup ->> 'create')::boolean then
          v_created := v_created || jobs_private.create_query(v_lookup, p_plan -> 'fixed', v_column.place, v_rows, v_free);
        end if;
      else
        v_expr := format('%s::%s', v_cell, v_column.type);
        if v_column.full_type <> 'text' then
          v_types := v_types || jobs_private.type_query(
            v_column.declared, v_title, v_column.place, v_column.of_type, v_column.full_type, v_rows, v_free);
        end if;
      end if;

      if v_expr is not null then
        v_names := v_names || v_column.target;
        v_values := v_values || v_expr;
        v_inserts := v_inserts || case when v_column.attnotnull and v_default is not null
          then format('coalesce(s.%I, %s)', v_column.target, v_default) else format('s.%I', v_column.target) end;
        if v_column.target <> all (v_key) and v_column.fixed is null then
          v_sets := v_sets || format('%1$I = %2$s', v_column.target,
            case when v_column.attnotnull and v_default is not null then format('coalesce(s.%1$I, t.%1$I)', v_column.target)
              else format('s.%I', v_column.target) end);
          v_old := v_old || format(case when v_column.typname in ('json', 'xml', 'point') then 't.%I::text' else 't.%I' end, v_column.target);
          v_new := v_new || format(
            case
              when v_column.attnotnull and v_default is not null then 'coalesce(s.%1$I, t.%1$I)'
              when v_column.typname in ('json', 'xml', 'point') then 's.%1$I::text'
              else 's.%1$I'
            end, v_column.target);
        end if;
        if v_column.target = any (v_key) then
          v_key_parts := v_key_parts || case
            when v_column.fixed is not null then null
            when v_column.typname = 'citext' then format('lower(%s)', v_cell)
            when v_lookup is not null or v_column.typname in ('text', 'varchar', 'bpchar') then v_cell
            else format('case when pg_input_is_valid(%1$s, %2$L) then (%1$s::%3$s)::text else %1$s end', v_cell, v_column.full_type, v_column.full_type)
          end;
        end if;
      end if;

      if v_expr is null and v_mode <> 'update' and v_column.typname = 'uuid' and v_column.attgenerated = ''
        and v_column.default_value ~ '^(extensions\.)?(gen_random_uuid|uuid_generate_v4)\(\)$'
        and has_column_privilege('authenticated', v_target, v_column.attnum, 'insert') then
        v_random := v_random || v_column.target;
        -- For rules, any will do: none depends on which, and making one costs more than all of them.
        v_default := format('%L::uuid', '00000000-0000-4000-8000-' || lpad(v_column.attnum::text, 12, '0'));
      end if;

      -- The row as it would be, for CHECKs and policies.
      v_value := coalesce(
        case when v_expr is not null and v_column.attnotnull and v_default is not null then format('coalesce(%s, %s)', v_expr, v_default) else v_expr end,
        v_default, format('null::%s', v_column.full_type));
      if v_mode <> 'insert' then
        v_value := case
          when v_expr is null then format('case when x.%I is null then %s else x.%I end', v_key[1], v_value, v_column.target)
          when v_column.attnotnull and v_default is not null then format('coalesce(%s, x.%I, %s)', v_expr, v_column.target, v_default)
          else v_expr
        end;
      end if;
      if v_column.attgenerated = '' then
        v_inner := v_inner || format('%s as %I', v_value, v_column.target);
      else
        v_generated := v_generated || format('%s as %I', v_column.default_value, v_column.target);
      end if;

      v_shown := jobs_private.shown(v_title, v_column.declared, format('q.v%s', v_column.place));
      if v_column.place is not null then
        v_inner := v_inner || format('%s as __c%s', v_cell, v_column.place);
      end if;
      if v_lookup is not null and not coalesce((v_lookup ->> 'create')::boolean, false) then
        -- Whoever corrects a row wants to know all that is wrong with it; the write never gets to see such rows.
        v_unresolved := v_unresolved || jsonb_build_object(v_column.place, jobs_private.unresolved_query(
          v_lookup, p_plan -> 'fixed', v_column.place, v_rows, v_problems,
          jobs_private.shown(v_title, v_column.declared, format('s.c%s', v_column.place))));
        v_flag_names := v_flag_names || format('u%s', v_column.place);
        v_flags := v_flags || format('__c%1$s is not null and __l%1$s is null', v_column.place);
        v_inner := v_inner || format('%s as __l%s', v_expr, v_column.place);
        v_rules := v_rules || format(
          $q$select %1$s::smallint, 'unknown_reference', %2$s || ' was not found', q.v%1$s where q.u%1$s$q$, v_column.place, v_shown);
      end if;
      if not v_before and v_column.attnotnull and v_default is null and v_column.attgenerated = '' and v_column.fixed is null
        and (v_column.attidentity = '' or v_column.place is not null)
        and coalesce(v_column.default_value, '') !~ 'nextval' and v_mode <> 'update' then
        v_flag_names := v_flag_names || format('r%s', v_column.attnum);
        v_flags := v_flags || case when v_column.place is not null then format('__c%s is null', v_column.place)
          else format('%I is null', v_column.target) end;
        v_rules := v_rules || format(
          $q$select %s::smallint, 'required', %L, null::text where q.%I$q$,
          coalesce(v_column.place::text, 'null'), v_title || ' is required, found an empty cell', 'r' || v_column.attnum);
      end if;
    end;
  end loop;

  v_key_place := (
    select min(c.ordinality) from jsonb_array_elements(p_plan -> 'columns') with ordinality c
    where p_plan -> 'key' ? (c.value ->> 'target') and (c.value ->> 'mapped')::boolean
  );
  if cardinality(v_key) > 0 then
    v_key_match := (select string_agg(format('t.%1$I = s.%1$I', k), ' and ') from unnest(v_key) k);
    v_inner := v_inner || format(
      case when v_mode = 'insert'
        then '(select 1 from ' || v_target::text || ' t where ' || (select string_agg(format('t.%I = (%s)', k, v.v), ' and ')
          from unnest(v_key) k join unnest(v_names, v_values) v(n, v) on v.n = k) || ' limit 1) as __existing'
        else 'x.%I as __existing' end, v_key[1]);
    v_flag_names := v_flag_names || 'existing'::text;
    if v_mode = 'insert' then
      v_flags := v_flags || '__existing is not null'::text;
      v_rules := v_rules || format(
        $q$select %s::smallint, 'duplicate_existing', %L, %s where q.existing$q$, coalesce(v_key_place::text, 'null'),
        'A row with this ' || array_to_string(array(select coalesce(c ->> 'title', k) from unnest(v_key) k left join jsonb_array_elements(p_plan -> 'columns') c on c ->> 'target' = k where not p_plan -> 'fixed' ? k), ', ') || ' exists already; expected a new one',
        coalesce('q.v' || v_key_place, 'null::text'));
    elsif v_mode = 'update' then
      v_flags := v_flags || '__existing is null'::text;
      v_rules := v_rules || format(
        $q$select %s::smallint, 'conflict', %L, %s where q.existing$q$, coalesce(v_key_place::text, 'null'),
        'No row with this ' || array_to_string(array(select coalesce(c ->> 'title', k) from unnest(v_key) k left join jsonb_array_elements(p_plan -> 'columns') c on c ->> 'target' = k where not p_plan -> 'fixed' ? k), ', ') || ' exists; expected one to update',
        coalesce('q.v' || v_key_place, 'null::text'));
    else
      v_flags := v_flags || 'false'::text;
    end if;
  end if;

  if not v_before then
    for v_constraint in
      select k.oid, k.conname, pg_get_expr(k.conbin, k.conrelid) as rule, obj_description(k.oid, 'pg_constraint') as comment,
        c.ordinality as place, c.value ->> 'title' as title, coalesce((c.value ->> 'sensitive')::boolean, false) as sensitive
      from pg_constraint k
      -- A rule about one column of the file is that column's problem.
      left join pg_attribute a on cardinality(k.conkey) = 1 and a.attrelid = k.conrelid and a.attnum = k.conkey[1]
      left join jsonb_array_elements(p_plan -> 'columns') with ordinality c
        on c.value ->> 'target' = a.attname and (c.value ->> 'mapped')::boolean
      where k.conrelid = v_target and k.contype = 'c'
    loop
      v_flag_names := v_flag_names || ('k' || v_constraint.oid);
      v_flags := v_flags || format('(%s) is false', v_constraint.rule);
      v_rules := v_rules || format(
        $q$select %s::smallint, 'rule_violated', %s || %L, %s where q.%I$q$,
        coalesce(v_constraint.place::text, 'null'),
        case when v_constraint.place is null then quote_literal('The row')
          when v_constraint.sensitive then quote_literal(v_constraint.title)
          else format('%L || coalesce(''"'' || left(q.v%s, 80) || ''"'', ''of this row'')', v_constraint.title || ' ', v_constraint.place) end,
        format(' breaks the rule "%s"', v_constraint.conname) || coalesce(': ' || v_constraint.comment, ''),
        coalesce('q.v' || v_constraint.place, 'null::text'),
        'k' || v_constraint.oid);
    end loop;

    if v_mode <> 'update' and (select relrowsecurity from pg_class where oid = v_target) then
      select coalesce('(' || string_agg(format('coalesce((%s), false)', rule), ' or ') filter (where polpermissive) || ')', 'false')
        || coalesce(' and ' || string_agg(format('coalesce((%s), false)', rule), ' and ') filter (where not polpermissive), '')
      into v_policy
      from (
        select polpermissive, coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid), 'true') as rule
        from pg_policy
        where polrelid = v_target and polcmd in ('*', 'a')
          and (polroles && array[0::oid, 'authenticated'::regrole::oid])
      ) policies;
      v_flag_names := v_flag_names || 'refused'::text;
      -- Whether a row that exists is changed at all, and under which policies, only the write itself can say.
      v_flags := v_flags || format(case v_mode when 'insert' then 'not (%s)' else '__existing is null and not (%s)' end, v_policy);
      v_rules := v_rules || $q$select null::smallint, 'not_allowed', 'A policy of the table does not allow you to write this row', null::text where q.refused$q$::text;
    end if;
  end if;

  v_source := format('select s.row_number as __row, %s from %s s%s where %s%s',
    (select string_agg(format('%s as %I', v, n), ', ' order by o) from unnest(v_names, v_values) with ordinality x(n, v, o)), v_rows, v_joins, v_free, v_found);

  v_into := array_to_string(array(select quote_ident(n) from unnest(v_names) with ordinality n(n, o) order by o), ', ');
  v_from := array_to_string(v_inserts, ', ');
  if cardinality(v_random) > 0 then
    v_check_into := v_into || (select string_agg(format(', %I', n), '') from unnest(v_random) n);
    -- 28 of the 36 characters are made once for all rows; the rest is the row's number.
    v_check_from := v_from || repeat(
      ', (left((select gen_random_uuid()::text), 28) || lpad(to_hex(s.__row), 8, ''0''))::uuid', cardinality(v_random));
  end if;
  if v_mode = 'insert' then
    v_write := format('insert into %s as t (%s) select %s from (%s) s', v_target, v_into, v_from, v_source);
    v_insert := v_write;
    v_check := case when v_check_into is not null
      then format('insert into %s as t (%s) select %s from (%s) s', v_target, v_check_into, v_check_from, v_source) end;
    v_preview := format('with w as (%s order by s.__row returning to_jsonb(t.*) as written) select count(*)::integer, 0, (select jsonb_agg(written) from (select written from w limit 20) first) from w', v_write);
    v_write := format('with w as (%s returning 1) select count(*)::integer, 0, null::jsonb from w', v_write);
  else
    v_write := format('merge into %s t using (%s) s on %s%s%s', v_target, v_source, v_key_match,
      case when cardinality(v_sets) > 0
        then format(' when matched and (%s) is distinct from (%s) then update set %s',
          array_to_string(v_old, ', '), array_to_string(v_new, ', '), array_to_string(v_sets, ', '))
        else '' end,
      case when v_mode = 'upsert'
        then format(' when not matched then insert (%s) values (%s)', v_into, v_from) else '' end);
    if exists (
      select from pg_trigger where tgrelid = v_target and not tgisinternal and tgenabled <> 'D' and tgtype & 3 = 3
    ) then
      -- A trigger before the row is written may leave a row out, which would pass for unchanged.
      v_changes := format('select count(*)::integer from (%s) s left join %s t on %s where %s', v_source, v_target, v_key_match,
        concat_ws(' or ',
          case when v_mode = 'upsert' then format('t.%I is null', v_key[1]) end,
          case when cardinality(v_sets) > 0 then format('t.%I is not null and (%s) is distinct from (%s)', v_key[1],
            array_to_string(v_old, ', '), array_to_string(v_new, ', ')) else 'false' end));
    end if;
    if cardinality(v_sets) = 0 and v_mode = 'update' then
      v_write := v_write || ' when matched then do nothing';
    end if;
    v_preview := format(
      'with w as (%s returning merge_action() as action, s.__row as row_number, to_jsonb(t.*) as written) select count(*) filter (where action = ''INSERT'')::integer,'
      ' count(*) filter (where action = ''UPDATE'')::integer, (select jsonb_agg(written order by row_number) from (select row_number, written from w order by row_number limit 20) first) from w', v_write);
    v_write := format(
      'with w as (%s returning merge_action() as action) select count(*) filter (where action = ''INSERT'')::integer,'
      ' count(*) filter (where action = ''UPDATE'')::integer, null::jsonb from w', v_write);
    v_check := case when v_check_into is not null
      then replace(v_write, format('(%s) values (%s)', v_into, v_from), format('(%s) values (%s)', v_check_into, v_check_from)) end;
  end if;

  if cardinality(v_flags) > 0 then
    v_rules_query := format(
      $q$select q.row_number, p.* from (
           select __row as row_number, %s from (%sselect s.row_number as __row, %s from %s s%s%s where %s%s) %I
           offset 0
         ) q cross join lateral (%s) p where %s$q$,
      array_to_string(
        array(select format('%s as %I', f, n) from unnest(v_flags, v_flag_names) x(f, n))
        || array(select format('__c%1$s as v%1$s', c.o) from jsonb_array_elements(p_plan -> 'columns') with ordinality c(c, o) where (c.c ->> 'mapped')::boolean), ', '),
      case when cardinality(v_generated) > 0
        then format('select *, %s from (', array_to_string(v_generated, ', ')) else '' end,
      array_to_string(v_inner, ', '), v_rows, v_joins,
      case when v_mode = 'insert' then '' else format(' left join %s x on %s', v_target,
        (select string_agg(format('x.%I = (%s)', k, v.v), ' and ')
         from unnest(v_key) k join unnest(v_names, v_values) v(n, v) on v.n = k)) end,
      v_free, case when cardinality(v_generated) > 0 then format(') %I', v_alias) else '' end, v_alias,
      array_to_string(v_rules, ' union all '),
      (select string_agg(format('q.%I', n), ' or ') from unnest(v_flag_names) n));
  end if;

  return jsonb_build_object(
    'write', v_write,
    'write_preview', v_preview,
    'insert', v_insert,
    'check', v_check,
    'write_row', replace(v_write, 'between $1 and $2', '= $1'),
    'write_preview_row', replace(v_preview, 'between $1 and $2', '= $1'),
    'creates', to_jsonb(v_created),
    'changes', v_changes,
    'types', array_to_string(v_types, ' union all '),
    'rules', v_rules_query,
    'nearest', v_nearest,
    'unresolved', v_unresolved,
    'refused', format('select count(distinct row_number)::integer from %s where row_number between $1 and $2', v_problems),
    'ready', format('select s.row_number from %s s where %s', v_rows, v_free),
    'key', case when cardinality(array_remove(v_key_parts, null)) = 0 then null
      when array_length(array_remove(v_key_parts, null), 1) = 1 then (array_remove(v_key_parts, null))[1]
      else (select 'jsonb_build_array(' || string_agg(k, ', ') || ')::text' from unnest(array_remove(v_key_parts, null)) k) end);
end;
$$;
comment on function jobs_private.compile_import is 'The statements of an import, made of its plan and of the target''s definition.';
revoke all on function jobs_private.compile_import from public;
