-- What a target is, beyond its columns: what decides the outcome of a write to it, and whether the rows of one file can
-- affect each other in it.

-- Everything about a table that decides what a write to it does, as one hash. Reads the catalog only.
create function jobs_private.target_fingerprint(p_target regclass)
returns text
language sql
stable
set search_path = ''
as $$
  select md5(string_agg(part, E'\n' order by part))
  from (
    select format('column %s %s %s %s %s', attname, format_type(atttypid, atttypmod), attnotnull, attgenerated,
      (select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = attrelid and adnum = attnum)) as part
    from pg_attribute where attrelid = p_target and attnum > 0 and not attisdropped
    union all
    select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint where conrelid = p_target
    union all
    select format('index %s', pg_get_indexdef(indexrelid)) from pg_index where indrelid = p_target and indisunique
    union all
    select format('policy %s %s %s %s %s %s', polname, polcmd, polpermissive, polroles::regrole[],
      pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    from pg_policy where polrelid = p_target
    union all
    select format('trigger %s %s %s', pg_get_triggerdef(t.oid), t.tgenabled, md5(p.prosrc))
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid where t.tgrelid = p_target and not t.tgisinternal
    union all
    -- What a CHECK, a policy or a default asks; not what those functions call in turn.
    select format('function %s %s', p.oid::regprocedure, md5(p.prosrc))
    from pg_depend d join pg_proc p on d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid
    where d.classid = 'pg_constraint'::regclass and d.objid in (select oid from pg_constraint where conrelid = p_target)
      or d.classid = 'pg_policy'::regclass and d.objid in (select oid from pg_policy where polrelid = p_target)
      or d.classid = 'pg_attrdef'::regclass and d.objid in (select oid from pg_attrdef where adrelid = p_target)
    union all
    select format('row security %s %s', relrowsecurity, relforcerowsecurity) from pg_class where oid = p_target
  ) parts
$$;
comment on function jobs_private.target_fingerprint is 'A hash of what decides the outcome of a write: columns, constraints, unique indexes, policies, triggers, and the functions these name.';
revoke all on function jobs_private.target_fingerprint from public;
grant execute on function jobs_private.target_fingerprint to longshore_worker;

-- What one row can do to another of the same file through the target, beyond its key: exclusion constraints, other
-- unique indexes, references to itself, triggers. Such targets are checked in one transaction over all rows.
-- p_row_local names triggers of which the dataset says that they only touch what belongs to their own row.
create function jobs_private.rows_touch_each_other(p_target regclass, p_mode text, p_key text[], p_row_local text[])
returns boolean
language sql
stable
set search_path = ''
as $$
  select
    exists (
      select from pg_constraint
      where conrelid = p_target and (contype = 'x' or (contype = 'f' and confrelid = p_target))
    )
    or exists (
      select from pg_trigger
      where tgrelid = p_target and not tgisinternal and tgenabled <> 'D'
        -- 4 is on insert, 16 on update
        and tgtype & case p_mode when 'insert' then 4 when 'update' then 16 else 20 end <> 0
        and not tgname = any (p_row_local)
    )
    or exists (
      select from pg_index i
      where i.indrelid = p_target and i.indisunique
        and not (
          -- the key itself, or a key that the database makes
          (select array_agg(a.attname::text order by a.attname) from pg_attribute a where a.attrelid = p_target and a.attnum = any (i.indkey))
            = (select array_agg(k order by k) from unnest(p_key) k)
          or exists (
            select from pg_attribute a
            where a.attrelid = p_target and a.attnum = any (i.indkey) and a.attidentity <> ''
          )
          or exists (
            select from pg_attrdef d
            where d.adrelid = p_target and d.adnum = any (i.indkey)
              and pg_get_expr(d.adbin, d.adrelid) ~ '(gen_random_uuid|uuid_generate|nextval)'
          )
        )
    )
$$;
comment on function jobs_private.rows_touch_each_other is 'Whether rows of one file can affect each other in the target, beyond having equal keys.';
revoke all on function jobs_private.rows_touch_each_other from public;
grant execute on function jobs_private.rows_touch_each_other to longshore_worker;
