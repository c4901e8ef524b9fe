-- Rows of a file that repeat a key: of several, the first valid one counts. Which rows they are is found once for the file;
-- which of them is the valid one, with every chunk, since only the write says what is valid.

-- Counts tables that rows are looked up in anew where they have grown by half since they were counted. Right after an
-- import the planner still takes them for empty, and would look each row up by reading all of the table: 100,000 orders in
-- 100,000 calls took minutes. Reads a table's pages here and there; keeps other vacuums off it until the transaction ends.
-- For analyze_import(), which runs as the tables' owner.
create function jobs_private.analyze_lookups(p_plan jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_table regclass;
begin
  for v_table in
    select distinct s.relid::regclass
    from jsonb_array_elements(p_plan -> 'columns') c
    join pg_stat_user_tables s on s.relid = (c #>> '{lookup,table}')::regclass
    where (c ->> 'mapped')::boolean and s.n_mod_since_analyze > 5000 and s.n_mod_since_analyze > s.n_live_tup / 2
  loop
    execute format('analyze %s', v_table);
  end loop;
end;
$$;
comment on function jobs_private.analyze_lookups is 'Analyzes tables of lookups that have grown since they were analyzed.';
revoke all on function jobs_private.analyze_lookups from public;

-- Counts a check's staged rows, and the tables it looks up in: without statistics a chunk is looked for in the whole table
-- instead of in the index. Keeps other vacuums off these tables until the transaction ends. For the worker's login, with
-- the lease.
create function jobs_private.analyze_import(p_job_id uuid, p_token bigint)
returns void
language plpgsql
security definer -- whoever analyzes a table must own it
set search_path = ''
as $$
declare
  v_import jobs_private.imports := jobs_private.import_of(p_job_id);
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  execute format('analyze jobs_staging.rows_%s (row_number)', v_import.slot);
  perform jobs_private.analyze_lookups(v_import.plan);
end;
$$;
comment on function jobs_private.analyze_import is 'Analyzes the staged rows of a check and the tables that they are looked up in.';
revoke all on function jobs_private.analyze_import from public;
grant execute on function jobs_private.analyze_import to longshore_worker;

-- Finds the rows whose key stands in the file more than once: a pass over 64-bit hashes, then an exact comparison
-- of the rows whose hash is not alone. Answers how many there are. Starts over when called again. Locks the check's own
-- table of duplicates (TRUNCATE). For the worker's login, with the lease.
create function jobs_private.find_duplicates(p_job_id uuid, p_token bigint)
returns integer
language plpgsql
security definer -- reads staging
set search_path = ''
set work_mem = '64MB'
set enable_hashagg = off -- hashes are sorted in half the time and memory that a group for each of them takes
as $$
declare
  v_import jobs_private.imports := jobs_private.import_of(p_job_id);
  v_key text := v_import.statements ->> 'key';
  v_found integer := 0;
begin
  perform jobs_private.check_lease(p_job_id, p_token);
  execute format('truncate jobs_staging.duplicates_%s', v_import.slot);
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
