-- Run before every test file, on its connection: pgTAP and the personas. Everything is kept, and the same each time.
-- A person's id follows from the name, so that a test can speak of people without carrying ids about.
set client_min_messages = warning;
create extension if not exists pgtap with schema extensions;
create schema if not exists tests;
comment on schema tests is 'Personas of the pgTAP tests; in no migration';
grant usage on schema tests to anon, authenticated, service_role;

create or replace function tests.person(p_name text) returns uuid
language sql immutable
set search_path = ''
as $$
  select md5('person ' || p_name)::uuid;
$$;
comment on function tests.person is 'The id of the person of that name';

create or replace function tests.email(p_name text) returns text
language sql immutable
set search_path = ''
as $$
  select lower(p_name) || '@example.test';
$$;
comment on function tests.email is 'The email of the person of that name';

create or replace function tests.create_people(variadic p_names text[]) returns void
language sql
set search_path = ''
as $$
  insert into auth.users (id, email, aud, role, raw_app_meta_data, raw_user_meta_data)
  select tests.person(n), tests.email(n), 'authenticated', 'authenticated', '{}', '{}' from unnest(p_names) n;
$$;
comment on function tests.create_people is 'People with an account each';

create or replace function tests.act_as(p_name text) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('request.jwt.claims', json_build_object(
    'sub', tests.person(p_name), 'role', 'authenticated', 'aal', 'aal1', 'email', tests.email(p_name))::text, true);
  perform set_config('role', 'authenticated', true);
end;
$$;
comment on function tests.act_as is 'What follows is done by this person, as the API would do it';

create or replace function tests.act_as_anonymous() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('request.jwt.claims', '{"role": "anon"}', true);
  perform set_config('role', 'anon', true);
end;
$$;
comment on function tests.act_as_anonymous is 'What follows is done without signing in';

create or replace function tests.act_as_service() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('request.jwt.claims', '{"role": "service_role"}', true);
  perform set_config('role', 'service_role', true);
end;
$$;
comment on function tests.act_as_service is 'What follows is done with the secret key';

create or replace function tests.act_as_postgres() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform set_config('request.jwt.claims', '', true);
  perform set_config('role', 'postgres', true);
end;
$$;
comment on function tests.act_as_postgres is 'What follows is done by the test itself, past every policy';

-- Runs a statement and counts the rows it touched, since a policy that hides rows raises nothing.
create or replace function tests.touched(p_statement text) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_count bigint;
begin
  execute p_statement;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function tests.touched is 'How many rows the statement touches for whoever is acting';

-- Runs a statement and returns the code of the contract's error that it raises; null when it raises none.
create or replace function tests.error_code(p_statement text) returns text
language plpgsql
set search_path = ''
as $$
begin
  execute p_statement;
  return null;
exception when sqlstate 'PGRST' then
  return sqlerrm::json ->> 'code';
end;
$$;
comment on function tests.error_code is 'The code of the error that the statement raises for the API';

-- Jobs that the clock makes would count among those of a test.
select cron.alter_job(jobid, active => false) from cron.job where jobname like 'longshore-refresh-%';

-- A file without a plan would count as a failure where every .sql file is taken for a test.
select '1..1' as tap union all select 'ok 1 - the personas are ready';
