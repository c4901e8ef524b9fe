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

-- The people and places that the tests of Certus share; ids are md5 of the names.
create or replace function tests.create_restaurants() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform tests.create_people('Olga', 'Adam', 'Vic', 'Ada', 'Otto', 'Oona', 'Mia', 'Stranger');
  insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
  insert into public.memberships (org_id, user_id, role)
  select md5('org')::uuid, tests.person(n), case n when 'Olga' then 'owner' when 'Adam' then 'admin' when 'Vic' then 'viewer' else 'member' end
  from unnest(array['Olga', 'Adam', 'Vic', 'Ada', 'Otto', 'Oona', 'Mia']) n;
  insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Stranger'), 'owner');
  insert into certus.accounts (id, org_id, name) values
    (md5('bistro')::uuid, md5('org')::uuid, 'Bistro'), (md5('diner')::uuid, md5('other')::uuid, 'Diner');
  insert into certus.locations (id, account_id, code, name, avg_spend_per_head) values
    (md5('soho')::uuid, md5('bistro')::uuid, 'SOHO', 'Soho', 30),
    (md5('mayfair')::uuid, md5('bistro')::uuid, 'MAYFAIR', 'Mayfair', 50),
    (md5('far')::uuid, md5('diner')::uuid, 'FAR', 'Far', 10);
  insert into certus.account_members (account_id, user_id, role) values
    (md5('bistro')::uuid, tests.person('Ada'), 'admin'),
    (md5('bistro')::uuid, tests.person('Otto'), 'operator'),
    (md5('bistro')::uuid, tests.person('Oona'), 'operator');
  insert into certus.member_locations (account_id, user_id, location_id) values
    (md5('bistro')::uuid, tests.person('Otto'), md5('soho')::uuid),
    (md5('bistro')::uuid, tests.person('Oona'), md5('mayfair')::uuid);
end;
$$;
comment on function tests.create_restaurants is
  'Bistro of Org (Soho, Mayfair) and Diner of Other (Far). Olga owns Org, Adam is its admin, Vic its viewer; Ada is Bistro''s admin, Otto operates Soho, Oona Mayfair, Mia nothing; Stranger owns Other';

-- A call, an order with an update and an upsell, a reservation and a note in each of the three locations.
create or replace function tests.create_restaurant_logs() returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into certus_private.call_logs
    (id, account_id, location_id, external_id, caller_phone, provider_status, provider_call_type, started_at, ended_at)
  select md5('call ' || l.code)::uuid, l.account_id, l.id, 'C-' || l.code, '+442079460018', 'ended', 'booking',
    '2026-03-01 12:00+00', '2026-03-01 12:02+00'
  from certus.locations l;
  insert into certus_private.order_logs
    (id, account_id, location_id, call_id, external_id, customer_phone, provider_status, reported_subtotal, reported_tax, created_at)
  select md5('order ' || l.code)::uuid, l.account_id, l.id, md5('call ' || l.code)::uuid, 'O-' || l.code, '+442079460018',
    'Placed', 20, 4, '2026-03-01 12:01+00'
  from certus.locations l;
  insert into certus_private.order_updates (order_id, location_id, status, created_at)
  select md5('order ' || l.code)::uuid, l.id, s.status, '2026-03-01 12:01+00'::timestamptz + s.place * interval '1 minute'
  from certus.locations l cross join (values (2, 'cooking'), (1, 'accepted')) s (place, status);
  insert into certus_private.upsells (order_id, location_id, item, amount, accepted)
  select md5('order ' || l.code)::uuid, l.id, 'Garlic bread', 4.5, true from certus.locations l;
  insert into certus_private.reservations
    (id, account_id, location_id, call_id, external_id, customer_phone, reservation_at, guest_count, created_at)
  select md5('reservation ' || l.code)::uuid, l.account_id, l.id, md5('call ' || l.code)::uuid, 'R-' || l.code,
    '+442079460018', '2026-03-05 19:00+00', 4, '2026-03-01 12:02+00'
  from certus.locations l;
  insert into certus.internal_notes (account_id, location_id, call_id, author_id, body)
  select l.account_id, l.id, md5('call ' || l.code)::uuid, null, 'Regular guest' from certus.locations l;
end;
$$;
comment on function tests.create_restaurant_logs is
  'For tests.create_restaurants(): one call with all that can hang on it in each location';

-- An engine without jobs, at noon of the first day of 2030, and two organizations. Its limits count every job there is.
create or replace function tests.create_engine_scene() returns void
language plpgsql
set search_path = ''
as $$
begin
  update jobs_private.staging_slots set job_id = null, owner_id = null;
  delete from jobs.jobs;
  perform set_config('longshore.now', '2030-01-01 12:00:00+00', true);
  perform tests.create_people('Olga', 'Adam', 'Mia', 'Max', 'Vic', 'Nora', 'Stranger');
  insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
  insert into public.memberships (org_id, user_id, role) values
    (md5('org')::uuid, tests.person('Olga'), 'owner'),
    (md5('org')::uuid, tests.person('Adam'), 'admin'),
    (md5('org')::uuid, tests.person('Mia'), 'member'),
    (md5('org')::uuid, tests.person('Max'), 'member'),
    (md5('org')::uuid, tests.person('Vic'), 'viewer'),
    (md5('other')::uuid, tests.person('Nora'), 'owner');
end;
$$;
comment on function tests.create_engine_scene is
  'No jobs, 2030-01-01 12:00; Olga owns Org, Adam is its admin, Mia and Max are members, Vic a viewer; Nora owns Other; Stranger none';

-- The statement that asks for a job.
create or replace function tests.request_job(
  p_kind text default 'export', p_org text default 'org', p_parent uuid default null, p_key text default null,
  p_hash text default null, p_file text default null
) returns text language sql as $$
  select format(
    'select jobs.enqueue_job(%L, %L, %L, ''{"asked": true}'', %L, %L, %L, %L)',
    (array['import', 'import-commit', 'export', 'refresh-metrics'])[
      array_position(array['import_check', 'import_commit', 'export', 'refresh'], p_kind)],
    p_kind, md5(p_org)::uuid, p_parent, p_key, p_hash,
    case when p_file is not null then jsonb_build_object('bucket', 'imports', 'path', p_file) end);
$$;

-- A job of a person's.
create or replace function tests.enqueue(
  p_person text, p_kind text default 'export', p_org text default 'org', p_parent uuid default null
) returns uuid language plpgsql as $$
declare
  v_answer jsonb;
begin
  perform tests.act_as(p_person);
  execute tests.request_job(p_kind, p_org, p_parent) into v_answer;
  perform tests.act_as_postgres();
  return v_answer #>> '{job,id}';
end
$$;

-- The token of a lease on a job, or on the one whose turn it is.
create or replace function tests.claim(p_job_id uuid default null) returns bigint language sql as $$
  select c.token from jobs_private.claim_job(null, 'a worker', p_job_id) c;
$$;

-- What became of a job.
create or replace function tests.job_state(p_job_id uuid) returns text language sql as $$
  select j.state from jobs.jobs j where j.id = p_job_id;
$$;

-- Lets time pass.
create or replace function tests.later(p_interval interval) returns void language sql as $$
  select set_config('longshore.now', (jobs.now() + p_interval)::text, true);
$$;

-- A file without a plan would count as a failure where every .sql file is taken for a test.
select '1..1' as tap union all select 'ok 1 - the personas are ready';
