-- Tables, triggers and names that a dataset's author did not think of: an import reads them right or refuses them, loses
-- no row in silence, leaves nothing behind after a check and gives nobody more than the owner's rights.
begin;
select plan(48);
select tests.create_people('Mia', 'Eve');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Mia'), 'member'), (md5('other')::uuid, tests.person('Eve'), 'owner');
update jobs.settings set running_in_all = 1000, running_per_org = 1000;

create schema hostile;
grant usage on schema hostile to authenticated;
create function hostile.authorize_import(p_scope jsonb) returns uuid language sql stable as $$ select md5('org')::uuid $$;

create function pg_temp.plan(p_target text, p_mode text, p_key jsonb, p_columns jsonb) returns jsonb language sql as $$
  select jsonb_build_object(
    'target', 'hostile.' || p_target, 'mode', p_mode, 'key', p_key, 'fixed', '{}'::jsonb,
    'authorize', 'hostile.authorize_import', 'scope', '{}'::jsonb, 'row_local_triggers', '[]'::jsonb, 'sheet', null,
    'columns', jsonb_agg(jsonb_build_object(
      'name', c.column ->> 'name', 'title', coalesce(c.column ->> 'title', c.column ->> 'name'), 'target', c.column ->> 'name',
      'heading', c.column ->> 'name', 'file_index', c.place - 1, 'mapped', true, 'required', false, 'sensitive', false
    ) || c.column order by c.place))
  from jsonb_array_elements(p_columns) with ordinality c ("column", place);
$$;
-- Runs the steps of one job to its end, as a slice does; returns its cursor.
create function pg_temp.run(p_job uuid, p_import uuid, p_token bigint, p_checking boolean) returns jsonb language plpgsql as $$
declare
  v_cursor jsonb := '{"after": 0, "done": 0, "classify": false, "preview": [],
    "counts": {"inserted": 0, "updated": 0, "unchanged": 0, "skipped": 0, "failed": 0}}';
begin
  for v_n in 1..9 loop
    select s.cursor into v_cursor from jobs_private.import_step(
      p_job_id => p_job, p_import_id => p_import, p_cursor => v_cursor, p_size => 1000, p_chunks => 4,
      p_checking => p_checking, p_undo => p_checking) s;
    perform jobs_private.checkpoint(p_job, p_token, v_cursor);
    exit when (v_cursor ->> 'ended')::boolean;
  end loop;
  return v_cursor;
end
$$;
create function pg_temp.start(p_kind text, p_function text, p_parent uuid default null) returns uuid language plpgsql as $$
declare
  v_answer jsonb;
begin
  perform tests.act_as('Mia');
  v_answer := jobs.enqueue_job(p_function, p_kind, md5('org')::uuid, '{}', p_parent);
  perform tests.act_as_postgres();
  return v_answer #>> '{job,id}';
end
$$;
-- Checks rows and returns the job; what it found is in jobs.import_problems and in its result.
create function pg_temp.check(p_plan jsonb, p_rows jsonb) returns uuid language plpgsql as $$
declare
  v_job uuid := pg_temp.start('import_check', 'import');
  v_token bigint;
  v_cursor jsonb;
begin
  select c.token into v_token from jobs_private.claim_job(null, 'a worker', v_job) c;
  execute format(
    'insert into jobs_staging.rows_%s (row_number, c1, c2, c3, c4)
     select r.place + 1, r.cells ->> 0, r.cells ->> 1, r.cells ->> 2, r.cells ->> 3
     from jsonb_array_elements($1) with ordinality r (cells, place)', jobs_private.prepare_import(v_job, v_token, p_plan))
  using p_rows;
  perform jobs_private.find_duplicates(v_job, v_token);
  v_cursor := pg_temp.run(v_job, v_job, v_token, true);
  perform jobs_private.suggest_references(v_job, v_token);
  perform jobs_private.publish_problems(v_job, v_token, v_job, '{1,2}');
  perform jobs_private.finish_job(v_job, v_token, v_cursor);
  return v_job;
end
$$;
create function pg_temp.commit(p_check uuid) returns jsonb language plpgsql as $$
declare
  v_job uuid := pg_temp.start('import_commit', 'import-commit', p_check);
  v_token bigint;
  v_cursor jsonb;
begin
  select c.token into v_token from jobs_private.claim_job(null, 'a worker', v_job) c;
  v_cursor := pg_temp.run(v_job, p_check, v_token, false);
  perform jobs_private.finish_job(v_job, v_token, v_cursor);
  return v_cursor -> 'counts';
end
$$;
create function pg_temp.counts(p_job uuid) returns text language sql as $$
  select format('%s %s %s %s %s', c ->> 'inserted', c ->> 'updated', c ->> 'unchanged', c ->> 'skipped', c ->> 'failed')
  from (select j.result -> 'counts' as c from jobs.jobs j where j.id = p_job) x;
$$;
create function pg_temp.problems(p_job uuid) returns text language sql as $$
  select coalesce(string_agg(p.row || ' ' || p.code, ', ' order by p.row, p.code), 'none')
  from jobs.import_problems p where p.job_id = p_job;
$$;
create temp table done (name text primary key, job uuid);

-- names
create table hostile."order" (
  id bigint generated always as identity primary key,
  t text not null, "a b" integer, "row_number" text, "say ""x"", 'y' %I $1" text, constraint "order_t_%s" unique (t)
);
grant select, insert, update on hostile."order" to authenticated;
insert into done values ('names', pg_temp.check(
  pg_temp.plan('"order"', 'insert', '["t"]', $$[{"name": "t", "title": "T \"%s\" 'q' $1"}, {"name": "a b"}, {"name": "row_number"},
    {"name": "say \"x\", 'y' %I $1"}]$$),
  '[["a", "1", "r", "%I''\"$2"], ["b", "x", "r", "v"], ["a", "2", "r", "v"], ["c", "3", null, null]]'));
select is(pg_temp.problems(job), '3 invalid_number, 4 duplicate_in_file', 'odd names are only names') from done where name = 'names';
select is(pg_temp.commit(job) ->> 'inserted', '2', 'and are written') from done where name = 'names';
select is((select o."say ""x"", 'y' %I $1" from hostile."order" o where o.t = 'a'), '%I''"$2', 'with the values as they were');
insert into done values ('merge', pg_temp.check(
  pg_temp.plan('"order"', 'upsert', '["t"]', '[{"name": "t"}, {"name": "a b"}, {"name": "row_number"}]'),
  '[["a", "9", "r"], ["c", "3", null], ["d", "4", "r"]]'));
select is(pg_temp.counts(job), '1 1 1 0 0', 'a merge takes columns called t and row_number for columns') from done where name = 'merge';

create table hostile.long_names (
  k text primary key,
  v integer,
  constraint a_name_as_long_as_the_database_allows_which_no_prefix_may_len_1 check (v <> 1),
  constraint a_name_as_long_as_the_database_allows_which_no_prefix_may_len_2 check (v <> 2)
);
grant select, insert, update on hostile.long_names to authenticated;
insert into done values ('long', pg_temp.check(
  pg_temp.plan('long_names', 'insert', '["k"]', '[{"name": "k"}, {"name": "v"}]'), '[["a", "1"], ["b", "2"], ["c", "3"]]'));
select is(pg_temp.problems(job), '2 rule_violated, 3 rule_violated', 'names as long as can be are told apart') from done where name = 'long';

-- types and columns that the database fills
create table hostile.types (k text primary key, c character(5), b bit(3), n numeric(4, 1), u uuid, j json, d date);
grant select, insert, update on hostile.types to authenticated;
insert into done values ('types', pg_temp.check(
  pg_temp.plan('types', 'insert', '["k"]', '[{"name": "k"}, {"name": "c"}, {"name": "b"}, {"name": "n"}]'),
  '[["a", "abcde", "101", "99.9"], ["b", "abcdef", "101", "1"], ["c", "a", "1011", "1"], ["d", "a", "111", "1000"]]'));
select is(pg_temp.problems(job), '3 too_long, 4 invalid_type, 5 out_of_range', 'values are not cut to fit') from done where name = 'types';
select is(pg_temp.commit(job) ->> 'inserted', '1', 'those that fit are written') from done where name = 'types';
select is((select t.c::text || ' ' || t.b::text from hostile.types t), 'abcde 101', 'whole');
insert into done values ('types 2', pg_temp.check(
  pg_temp.plan('types', 'upsert', '["k"]', '[{"name": "k"}, {"name": "u"}, {"name": "j"}, {"name": "d"}]'),
  '[["a", "no", "{}", "2025-01-31"], ["b", null, "{", "2025-02-30"], ["c", null, "{\"x\": 1}", null]]'));
select is(pg_temp.problems(job), '2 invalid_type, 3 invalid_date, 3 invalid_type', 'each by its type') from done where name = 'types 2';

create table hostile.generated (
  k text primary key, id integer generated by default as identity, a integer, twice integer generated always as (a * 2) stored,
  constraint twice_is_below_100 check (twice < 100)
);
alter table hostile.generated enable row level security;
create policy p on hostile.generated to authenticated using (twice >= 0) with check (twice >= 0);
grant select, insert, update on hostile.generated to authenticated;
insert into done values ('generated', pg_temp.check(
  pg_temp.plan('generated', 'insert', '["k"]', '[{"name": "k"}, {"name": "a"}]'), '[["a", "1"], ["b", "50"], ["c", "-1"], ["d", "x"]]'));
select is(pg_temp.problems(job), '3 rule_violated, 4 not_allowed, 5 invalid_number', 'generated columns are computed for rules and policies')
from done where name = 'generated';

-- random keys: a check makes others, where the owner could
create table hostile.keys (
  id uuid primary key default gen_random_uuid(), other uuid not null unique default gen_random_uuid(), k text unique,
  constraint id_is_random check (id::text ~ '^.{8}-.{4}-4.{3}-[89ab]' and id <> other)
);
create table hostile.fixed_keys (like hostile.keys including all);
grant select, insert, update on hostile.keys to authenticated;
grant select, update, insert (k) on hostile.fixed_keys to authenticated;
insert into hostile.keys (k) values ('row 7'), ('row 1500');
create temp table rows_2100 as select jsonb_agg(jsonb_build_array('row ' || n)) as rows from generate_series(1, 2100) n;
insert into done
select t.target || ' ' || t.mode, pg_temp.check(pg_temp.plan(t.target, t.mode, '["k"]', '[{"name": "k"}]'), r.rows)
from (values ('keys', 'insert'), ('keys', 'upsert'), ('fixed_keys', 'insert')) t (target, mode), rows_2100 r;
select results_eq(
  'select d.name, i.statements ->> ''check'' like ''%gen_random_uuid%gen_random_uuid%'' from done d join jobs_private.imports i on i.job_id = d.job where d.name like ''%keys %'' order by d.name',
  $$values ('fixed_keys insert', null), ('keys insert', true), ('keys upsert', true)$$, 'only where the owner may write the key');
select is(pg_temp.problems(job), '8 duplicate_existing, 1501 duplicate_existing', 'with keys of its own a check finds what it finds without') from done where name = 'keys insert';
select is(pg_temp.counts(job), '2098 0 2 0 0', 'a merge too') from done where name = 'keys upsert';
select is(pg_temp.counts(job), '2100 0 0 0 0', 'and where only other columns may be written') from done where name = 'fixed_keys insert';
select is(pg_temp.commit(job) ->> 'inserted', '2098', 'a commit leaves keys to the table') from done where name = 'keys upsert';
select is((select count(distinct left(id::text, 28))::int from hostile.keys), 2100, 'which makes them at random');

create table hostile.parts (k text not null, v integer, primary key (k)) partition by list (k);
create table hostile.parts_a partition of hostile.parts for values in ('a', 'b');
grant select, insert, update on hostile.parts, hostile.parts_a to authenticated;
insert into done values ('parts', pg_temp.check(
  pg_temp.plan('parts', 'insert', '["k"]', '[{"name": "k"}, {"name": "v"}]'), '[["a", "1"], ["z", "2"], ["b", "3"]]'));
select is(pg_temp.problems(job), '3 rule_violated', 'a row without a partition is that row''s problem') from done where name = 'parts';
select is(pg_temp.commit(job) ->> 'inserted', '2', 'the others find theirs') from done where name = 'parts';

-- policies that differ between new rows and rows that are there
create table hostile.policies (k text primary key, v text);
insert into hostile.policies values ('there', 'old'), ('locked', 'old');
alter table hostile.policies enable row level security;
create policy r on hostile.policies for select to authenticated using (true);
create policy i on hostile.policies for insert to authenticated with check (false);
create policy u on hostile.policies for update to authenticated using (k = 'there') with check (true);
grant select, insert, update on hostile.policies to authenticated;
insert into done values ('policies', pg_temp.check(
  pg_temp.plan('policies', 'upsert', '["k"]', '[{"name": "k"}, {"name": "v"}]'),
  '[["there", "new"], ["locked", "new"], ["fresh", "new"], ["locked 2", "x"]]'));
select is(pg_temp.problems(job), '3 not_allowed, 4 not_allowed, 5 not_allowed', 'each row meets the policy of what happens to it')
from done where name = 'policies';
select is(pg_temp.commit(job) ->> 'updated', '1', 'so that what may be updated is') from done where name = 'policies';

-- rows that may be written but not read
create table hostile.letterbox (k text primary key, v text);
alter table hostile.letterbox enable row level security;
create policy i on hostile.letterbox for insert to authenticated with check (v <> 'bad');
grant select, insert on hostile.letterbox to authenticated;
insert into done values ('letterbox', pg_temp.check(
  pg_temp.plan('letterbox', 'insert', '["k"]', '[{"name": "k"}, {"name": "v"}]'), '[["a", "1"], ["b", "bad"], ["c", "2"]]'));
select is(pg_temp.problems(job), '3 not_allowed', 'what cannot be shown can be written') from done where name = 'letterbox';
select is(pg_temp.commit(job) ->> 'inserted', '2', 'as the check has said') from done where name = 'letterbox';

-- lookups
create table hostile.names (id integer primary key, name text);
insert into hostile.names values (1, 'x'), (2, 'x'), (3, 'y');
create table hostile.uses (k text, name_id integer);
grant select, insert on hostile.names, hostile.uses to authenticated;
create temp table lookup as select pg_temp.plan('uses', 'insert', '[]', '[{"name": "k"}, {"name": "name", "target": "name_id",
  "lookup": {"table": "hostile.names", "match": "name", "value": "id", "within": {}, "create": false}}]') as plan;
select throws_ok('select pg_temp.check(plan, ''[["a", "x"]]'') from lookup', '55000', null,
  'a lookup that may find two rows is refused: it would write one row twice');
update jobs.jobs set state = 'cancelled', finished_at = jobs.now() where state in ('queued', 'running');
delete from hostile.names where id = 2;
create unique index on hostile.names (name);
insert into done values ('lookup', (select pg_temp.check(plan, '[["a", "x"], ["b", "z"]]') from lookup));
select is(pg_temp.problems(job), '3 unknown_reference', 'one that finds one row is used') from done where name = 'lookup';

-- triggers
create table hostile.loot (what text);
grant insert on hostile.loot to authenticated, longshore_worker;
create table hostile.watched (k text primary key, v text);
grant select, insert on hostile.watched to authenticated;
create function hostile.watch() returns trigger language plpgsql as $$
begin
  case new.v
    when 'undone' then raise exception using errcode = 'LS901', message = 'Undone: this is a check';
    when 'assert' then assert false, 'an assertion';
    when 'commit' then commit;
    when 'api' then perform longshore_private.raise_error(409, 'taken', 'A sentence for a person', '{"phone": "+45 1234"}');
    when 'claims' then
      perform set_config('request.jwt.claims', json_build_object('sub', tests.person('Eve'), 'role', 'authenticated')::text, true);
    else null;
  end case;
  insert into hostile.loot values (new.v || ' ' || current_user);
  return null;
end
$$;
grant usage on schema tests to authenticated;
create trigger watch after insert on hostile.watched for each row execute function hostile.watch();
create temp table watched as select pg_temp.plan('watched', 'insert', '["k"]', '[{"name": "k"}, {"name": "v"}]') as plan;
select throws_ok('select pg_temp.check(plan, ''[["a", "1"], ["b", "undone"]]'') from watched', 'LS901', null,
  'a trigger that pretends to be the undoing stops the job, and no row is lost in silence');
update jobs.jobs set state = 'cancelled', finished_at = jobs.now() where state in ('queued', 'running');
insert into done values ('triggers', (
  select pg_temp.check(plan, '[["a", "1"], ["b", "assert"], ["c", "commit"], ["d", "api"], ["e", "claims"], ["f", "2"]]') from watched));
select is(pg_temp.problems(job), '3 rule_violated, 4 rule_violated, 5 rule_violated', 'what a trigger refuses is its row''s problem')
from done where name = 'triggers';
select is(pg_temp.counts(job), '3 0 0 0 3', 'and every row is counted') from done where name = 'triggers';
select is((select count(*)::int from hostile.loot), 0, 'a check leaves nothing of what triggers wrote');
select is((select count(*)::int from hostile.watched), 0, 'nor of what it wrote');
select is((select p.message from jobs.import_problems p join done d on d.job = p.job_id where d.name = 'triggers' and p.row = 5),
  'A trigger of the table refuses this row: A sentence for a person', 'an error for the API is told without its details');
select is(current_setting('request.jwt.claims', true), '', 'claims that a trigger changed are gone');
select is(pg_temp.commit(job) ->> 'inserted', '3', 'the commit does what the check has said') from done where name = 'triggers';
select is((select count(*)::int from hostile.loot l where l.what like '% authenticated'), 3, 'as a signed-in person');

create table hostile.deferred (k text primary key, v text);
grant select, insert on hostile.deferred to authenticated;
create function hostile.defer_all() returns trigger language plpgsql as $$ begin set constraints all deferred; return null; end $$;
create function hostile.note() returns trigger language plpgsql as $$
begin
  insert into hostile.loot values ('deferred ' || current_user);
  if new.v = 'bad' then raise check_violation using message = 'no', constraint = 'said_late'; end if;
  return null;
end
$$;
create constraint trigger note after insert on hostile.deferred deferrable initially deferred
for each row execute function hostile.note();
create trigger again after insert on hostile.deferred for each row execute function hostile.defer_all();
insert into done values ('deferred', pg_temp.check(
  pg_temp.plan('deferred', 'insert', '["k"]', '[{"name": "k"}, {"name": "v"}]'), '[["a", "1"], ["b", "2"]]'));
select is(pg_temp.commit(job) ->> 'inserted', '2', 'deferred triggers are part of the write') from done where name = 'deferred';
select set_eq($$select what from hostile.loot where what like 'deferred%'$$, array['deferred authenticated'],
  'even if a trigger defers them again, they run as the owner');

-- code that is run to ask, not to write
create function hostile.curious(p_value text) returns boolean language plpgsql as $$
begin
  insert into hostile.loot values ('asked about ' || p_value);
  return p_value <> 'bad';
end
$$;
create table hostile.asked (k text primary key, v text, constraint curious check (hostile.curious(v)));
grant select, insert on hostile.asked to authenticated;
insert into done values ('asked', pg_temp.check(
  pg_temp.plan('asked', 'insert', '["k"]', '[{"name": "k"}, {"name": "v"}]'), '[["a", "1"], ["b", "bad"]]'));
select is(pg_temp.problems(job), '3 rule_violated', 'a CHECK is asked') from done where name = 'asked';
select is((select count(*)::int from hostile.loot l where l.what like 'asked%'), 0, 'and what it wrote is undone');

-- values of sensitive columns
create table hostile.people (k text primary key, phone text, constraint phone_is_short check (char_length(phone) < 9));
grant select, insert on hostile.people to authenticated;
insert into done values ('sensitive', pg_temp.check(
  pg_temp.plan('people', 'insert', '["k"]', '[{"name": "k"}, {"name": "phone", "sensitive": true}]'),
  '[["a", "12345678"], ["b", "+4598765432"]]'));
select is(pg_temp.problems(job), '3 rule_violated', 'a sensitive value breaks a rule') from done where name = 'sensitive';
select is((select count(*)::int from jobs.import_problems p where to_jsonb(p)::text like '%98765432%'), 0, 'and is not told');

-- two sessions
select is(jobs_private.ranges_are_independent(job), true, 'two sessions may write a plain table') from done where name = 'types';
select is(jobs_private.ranges_are_independent(job), false, 'one writes where numbers count in the order of the file') from done where name = 'merge';
select is(jobs_private.ranges_are_independent(job), false, 'and where a trigger may touch other rows') from done where name = 'triggers';

-- staged rows
select tests.act_as('Eve');
select is((select count(*)::int from jobs.import_problems), 0, 'a stranger reads no problems');
select tests.act_as_postgres();
create temp table slots as select slot from jobs_private.staging_slots where job_id is not null;
create function pg_temp.seen() returns bigint language plpgsql as $$
declare
  v_slot integer;
  v_seen bigint;
  v_all bigint := 0;
begin
  for v_slot in select slot from slots loop
    execute format('select count(*) from jobs_staging.own_rows_%s', v_slot) into v_seen;
    v_all := v_all + v_seen;
  end loop;
  return v_all;
end
$$;
grant select on slots to authenticated;
select tests.act_as('Mia');
select cmp_ok(pg_temp.seen(), '>', 0::bigint, 'the owner reads staged rows');
select tests.act_as('Eve');
select is(pg_temp.seen(), 0::bigint, 'a stranger reads none');
select throws_ok('select * from jobs_staging.rows_1', '42501', null, 'nor the tables behind the views');
select throws_ok('select * from jobs_private.imports', '42501', null, 'nor a plan');
select tests.act_as_postgres();
select jobs_private.drop_staging(job) from done where name = 'names';
select tests.act_as('Mia');
select is((select count(*)::int from jobs_staging.own_rows_1), 0, 'what was dropped is gone for its owner too');
select tests.act_as_postgres();

select * from finish();
rollback;
