-- The query of an export: names and values stay names and values, and no text becomes a formula.
begin;
select plan(17);
select tests.create_people('Olga');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org');
insert into public.memberships (org_id, user_id, role) values (md5('org')::uuid, tests.person('Olga'), 'owner');
insert into jobs.jobs (id, kind, org_id, owner_id) values (md5('export')::uuid, 'export', md5('org')::uuid, tests.person('Olga'));
insert into jobs_private.job_state (job_id, function_name, owner_id) values (md5('export')::uuid, 'export', tests.person('Olga'));

create schema tests_exports;
grant usage on schema tests_exports to authenticated;
create table tests_exports."rows; --" (id integer, "a""b" text, n numeric, t timestamptz, d date, b boolean, u uuid);
grant select on tests_exports."rows; --" to authenticated;
insert into tests_exports."rows; --" values
  (1, '=1+1', -5, '2026-01-01 23:59:59.4+00', '2026-01-01', true, md5('u')::uuid),
  (2, e'a\\b "c", (d)\ne', 1e20, '2026-01-02 00:00:00+00', '2026-01-02', false, null),
  (3, null, null, null, null, null, null),
  (4, '', 'NaN', 'infinity', '0001-01-01 BC', true, null);

create function pg_temp.plan(p_format text, p_columns text[], p_conditions jsonb default '[]') returns jsonb language sql as $$
  select jsonb_build_object(
    'source', 'tests_exports.rows; --', 'format', p_format, 'filters', '{}'::jsonb, 'conditions', p_conditions,
    'order', '[{"column": "id", "descending": false}]'::jsonb,
    'columns', (
      select jsonb_agg(jsonb_build_object('source', split_part(c, ':', 1), 'name', split_part(c, ':', 1), 'type', split_part(c, ':', 2))
        order by place)
      from unnest(p_columns) with ordinality u (c, place)))
$$;
create function pg_temp.exported(p_plan jsonb, p_count integer default 100) returns text language plpgsql as $$
declare
  v_text text := '';
  v_block record;
begin
  perform jobs_private.open_export(md5('export')::uuid, p_plan);
  loop
    select * into v_block from jobs_private.fetch_export(p_plan ->> 'format', p_count);
    v_text := v_text || coalesce(v_block.content, '');
    exit when v_block.row_count < p_count;
  end loop;
  execute 'close longshore_export';
  return v_text;
end
$$;
create function pg_temp.ids(p_conditions jsonb) returns text language sql as $$
  select rtrim(replace(pg_temp.exported(pg_temp.plan('csv', array['id:integer'], p_conditions)), e'\r\n', ' '));
$$;

select is(pg_temp.exported(pg_temp.plan('csv', array['id:integer', 'a"b:text', 'n:number', 't:timestamp', 'd:date', 'b:boolean'])),
  e'1,\'=1+1,-5,"2026-01-01 23:59:59",2026-01-01,true\r\n'
  || e'2,"a\\b ""c"", (d)\ne",100000000000000000000,"2026-01-02 00:00:00",2026-01-02,false\r\n'
  || e'3,,,,,\r\n4,"",NaN,infinity,"0001-01-01 BC",true\r\n', 'CSV');
select is(pg_temp.exported(pg_temp.plan('csv', array['a"b:text']), 1),
  e'\'=1+1\r\n"a\\b ""c"", (d)\ne"\r\n""\r\n""\r\n', 'one column, row by row');
select is(pg_temp.exported(pg_temp.plan('csv', array['u:text', 'id:integer'])),
  md5('u')::uuid || e',1\r\n,2\r\n,3\r\n,4\r\n', 'a text that is none in the database');
select is(pg_temp.exported(pg_temp.plan('xlsx', array['id:integer', 'a"b:text', 't:timestamp'])),
  e'["1", "=1+1", "2026-01-01 23:59:59"],["2", "a\\\\b \\"c\\", (d)\\ne", "2026-01-02 00:00:00"],["3", null, null],["4", "", "infinity"]',
  'JSON arrays for a workbook');
select is(pg_temp.exported(pg_temp.plan('ndjson', array['id:integer', 'n:number', 'b:boolean'])),
  e'{"id":1,"n":-5,"b":true}\n{"id":2,"n":100000000000000000000,"b":false}\n{"id":3,"n":null,"b":null}\n{"id":4,"n":"NaN","b":true}\n',
  'NDJSON');

select is(pg_temp.ids('[{"column": "id", "operator": "in", "value": ["1", "3"]}]'), '1 3', 'one of several');
select is(pg_temp.ids('[{"column": "a\"b", "operator": "in", "value": ["x'') or true --", "{}", "=1+1"]}]'), '1', 'values stay values');
select is(pg_temp.ids('[{"column": "b", "operator": "is", "value": true}]'), '1 4', 'a boolean');
select is(pg_temp.ids('[{"column": "id", "operator": "from_number", "value": 1.5}, {"column": "id", "operator": "to_number", "value": 3}]'), '2 3', 'numbers');
select is(pg_temp.ids('[{"column": "t", "operator": "from_day", "value": "2026-01-02"}, {"column": "t", "operator": "to_day", "value": "2026-01-02"}]'), '2', 'a day of a time');
select is(pg_temp.ids('[{"column": "d", "operator": "to_day", "value": "2026-01-01"}]'), '1 4', 'a day');
select is(pg_temp.ids('[{"column": "n", "operator": "ranges", "value": [{"below": 0}, {"from": 1000, "below": 1e30}]}]'), '1 2', 'ranges');
select throws_ok($$select pg_temp.ids('[{"column": "nothing", "operator": "is", "value": 1}]')$$, '42703', null, 'no such column');

-- acting as the owner while reading, as the caller before and after
select is(current_user::text, 'postgres', 'fetching gives the role back');
alter table tests_exports."rows; --" enable row level security;
select is(pg_temp.ids('[]'), '', 'row security holds for the reader');
create policy own on tests_exports."rows; --" for select to authenticated using (id = 2 and auth.uid() = tests.person('Olga'));
select is(pg_temp.ids('[]'), '2', 'and asks who that is');
update auth.users set deleted_at = now() where id = tests.person('Olga');
select throws_ok($$select pg_temp.ids('[]')$$, 'LS003', null, 'a person without an account reads nothing');

select * from finish();
rollback;
