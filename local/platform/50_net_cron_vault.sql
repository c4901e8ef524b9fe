-- pg_net, pg_cron and Vault as a hosted project has them: the same tables, functions and grants, in SQL. The workers behind
-- the first two are local/pg_net.ts and local/pg_cron.ts, woken by NOTIFY, which like the real ones see a request or a
-- job only once it is committed.
-- Left out: pg_net's http_collect_response and worker control, pg_cron's jobs in other databases than this one's owner can
-- see, and Vault's libsodium: secrets are encrypted with pgcrypto, by a key that lies beside the tables as a file.

-- pg_net
create schema net;
grant usage on schema net to postgres, anon, authenticated, service_role;

create domain net.http_method as text
  constraint http_method_is_known check (value ilike 'get' or value ilike 'post' or value ilike 'delete');

create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds int not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out bool,
  error_msg text,
  created timestamptz not null default now()
);
create index _http_response_created_idx on net._http_response (created);

grant all on all tables in schema net to postgres, anon, authenticated, service_role;
grant all on all sequences in schema net to postgres, anon, authenticated, service_role;

create function net._urlencode(p_text text)
returns text
language sql
immutable
strict
set search_path = ''
as $$
  select coalesce(string_agg(
    case
      when get_byte(convert_to(p_text, 'UTF8'), i) in (45, 46, 95, 126)
        or chr(greatest(get_byte(convert_to(p_text, 'UTF8'), i), 1)) ~ '^[A-Za-z0-9]$'
      then chr(get_byte(convert_to(p_text, 'UTF8'), i))
      else '%' || upper(lpad(to_hex(get_byte(convert_to(p_text, 'UTF8'), i)), 2, '0'))
    end, '' order by i), '')
  from generate_series(0, octet_length(convert_to(p_text, 'UTF8')) - 1) as i
$$;
comment on function net._urlencode(text) is 'One part of a query string, percent-encoded';

create function net._url_with_params(p_url text, p_params jsonb)
returns text
language sql
immutable
set search_path = ''
as $$
  select p_url || coalesce(
    case when p_url like '%?%' then '&' else '?' end
      || string_agg(net._urlencode(key) || '=' || net._urlencode(value), '&'), '')
  from jsonb_each_text(coalesce(p_params, '{}'))
$$;
comment on function net._url_with_params(text, jsonb) is 'The URL with the parameters added to its query';

create function net.wake()
returns void
language sql
set search_path = ''
as $$
  select pg_catalog.pg_notify('pg_net_wake', '')
$$;
comment on function net.wake() is 'Wakes the worker when the transaction commits';

create function net.http_get(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds int default 5000
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
  values ('GET', net._url_with_params(url, params), headers, timeout_milliseconds)
  returning id into v_id;
  perform net.wake();
  return v_id;
end
$$;
comment on function net.http_get(text, jsonb, jsonb, int) is 'Queues a GET; the worker sends it after the commit';

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds int default 5000
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_id bigint;
  v_content_type text := (
    select value from jsonb_each_text(coalesce(headers, '{}')) where lower(key) = 'content-type' limit 1
  );
begin
  if v_content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'POST',
    net._url_with_params(url, params),
    case
      when v_content_type is null then coalesce(headers, '{}') || '{"Content-Type": "application/json"}'
      else headers
    end,
    convert_to(body::text, 'UTF8'),
    timeout_milliseconds
  )
  returning id into v_id;
  perform net.wake();
  return v_id;
end
$$;
comment on function net.http_post(text, jsonb, jsonb, jsonb, int) is
  'Queues a POST of JSON; the worker sends it after the commit';

create function net.http_delete(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds int default 5000,
  body jsonb default null
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'DELETE', net._url_with_params(url, params), headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
  returning id into v_id;
  perform net.wake();
  return v_id;
end
$$;
comment on function net.http_delete(text, jsonb, jsonb, int, jsonb) is
  'Queues a DELETE; the worker sends it after the commit';

-- pg_cron
create schema cron;
grant usage on schema cron to postgres with grant option;

create sequence cron.jobid_seq;
create sequence cron.runid_seq;

create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport int not null default inet_server_port(),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);

create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);

alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);
grant select on cron.job to public;
grant select on cron.job to postgres with grant option;
grant select, delete on cron.job_run_details to public;
grant all on cron.job_run_details to postgres with grant option;

create function cron._changed()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify('pg_cron_changed', '');
  return null;
end
$$;
create trigger cron_job_changed after insert or update or delete or truncate on cron.job
  for each statement execute function cron._changed();

create function cron._caller()
returns text
language sql
stable
set search_path = ''
as $$
  select coalesce(nullif(current_setting('role', true), 'none'), session_user)
$$;
comment on function cron._caller() is 'Who calls a definer function here: the role that is set, or the one that logged in';

create function cron._check_schedule(p_schedule text)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_part constant text := '(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?';
  v_names constant text := '(\*|([0-9]+|[a-z]{3})(-([0-9]+|[a-z]{3}))?)(/[0-9]+)?';
begin
  if p_schedule is null or not (
    trim(p_schedule) ~* '^([1-9]|[1-5][0-9])\s+seconds?$'
    or trim(p_schedule) ~* '^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$'
    or trim(p_schedule) ~* replace(replace('^P(,P)*\s+P(,P)*\s+(P|\$)(,(P|\$))*\s+N(,N)*\s+N(,N)*$',
      'P', v_part), 'N', v_names)
  ) then
    raise exception 'invalid schedule: %', p_schedule
      using hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
end
$$;
comment on function cron._check_schedule(text) is 'Refuses what is neither five cron fields nor a number of seconds';

-- The functions run as their owner, for postgres may only read cron.job; the job belongs to whoever calls.
create function cron.schedule(job_name text, schedule text, command text)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id bigint;
begin
  perform cron._check_schedule(schedule);
  insert into cron.job as j (jobname, schedule, command, username)
  values (job_name, schedule, command, cron._caller())
  on conflict on constraint jobname_username_uniq
    do update set schedule = excluded.schedule, command = excluded.command, active = true
  returning j.jobid into v_id;
  return v_id;
end
$$;
comment on function cron.schedule(text, text, text) is 'Schedules a named job, or changes the caller''s job of that name';

create function cron.schedule(schedule text, command text)
returns bigint
language sql
security definer
set search_path = ''
as $$
  select cron.schedule(null, schedule, command)
$$;
comment on function cron.schedule(text, text) is 'Schedules a job without a name';

create function cron.unschedule(job_id bigint)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from cron.job where jobid = job_id and username = cron._caller();
  if not found then
    raise exception 'could not find valid entry for job ''%''', job_id;
  end if;
  return true;
end
$$;
comment on function cron.unschedule(bigint) is 'Removes a job of the caller';

create function cron.unschedule(job_name text)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from cron.job where jobname = job_name and username = cron._caller();
  if not found then
    raise exception 'could not find valid entry for job ''%''', job_name;
  end if;
  return true;
end
$$;
comment on function cron.unschedule(text) is 'Removes a job of the caller by its name';

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_caller constant text := cron._caller();
begin
  if alter_job.schedule is not null then
    perform cron._check_schedule(alter_job.schedule);
  end if;
  if alter_job.username <> v_caller and not (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = v_caller) then
    raise exception 'must be superuser to alter username' using errcode = 'insufficient_privilege';
  end if;
  update cron.job as j
  set schedule = coalesce(alter_job.schedule, j.schedule),
    command = coalesce(alter_job.command, j.command),
    database = coalesce(alter_job.database, j.database),
    username = coalesce(alter_job.username, j.username),
    active = coalesce(alter_job.active, j.active)
  where j.jobid = job_id and j.username = v_caller;
  if not found then
    raise exception 'Job % does not exist or you don''t own it', job_id;
  end if;
end
$$;
comment on function cron.alter_job(bigint, text, text, text, text, boolean) is 'Changes what is given of a job of the caller';

grant all on all functions in schema cron to postgres with grant option;

-- Vault
create schema vault;
grant usage on schema vault to postgres with grant option;
grant usage on schema vault to service_role;

create table vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea default extensions.gen_random_bytes(16),
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
comment on table vault.secrets is 'Secrets, encrypted: a dump of this table tells nothing without the key file';
create unique index secrets_name_idx on vault.secrets (name) where name is not null;

-- The key is written once, into the cluster's own folder, so that it is in no table, dump or replica.
do $$
begin
  execute format(
    'copy (select encode(extensions.gen_random_bytes(32), ''hex'')) to %L',
    current_setting('data_directory') || '/vault.key'
  );
end
$$;

create function vault._encrypt(p_secret text)
returns text
language sql
volatile
security definer
set search_path = ''
as $$
  select encode(
    extensions.pgp_sym_encrypt(p_secret, trim(pg_catalog.pg_read_file('vault.key')), 'cipher-algo=aes256, s2k-mode=1'),
    'base64')
$$;
comment on function vault._encrypt(text) is 'Encrypts with the key in the cluster''s folder';
revoke all on function vault._encrypt(text) from public;

create function vault._decrypt(p_secret text)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select extensions.pgp_sym_decrypt(decode(p_secret, 'base64'), trim(pg_catalog.pg_read_file('vault.key')))
$$;
comment on function vault._decrypt(text) is 'Decrypts with the key in the cluster''s folder';
revoke all on function vault._decrypt(text) from public;

create view vault.decrypted_secrets as
select id, name, description, secret, vault._decrypt(secret) as decrypted_secret, key_id, nonce, created_at, updated_at
from vault.secrets;

create function vault.create_secret(
  new_secret text,
  new_name text default null,
  new_description text default '',
  new_key_id uuid default null
)
returns uuid
language sql
security definer
set search_path = ''
as $$
  insert into vault.secrets (secret, name, description)
  values (vault._encrypt(new_secret), new_name, new_description)
  returning id
$$;
comment on function vault.create_secret(text, text, text, uuid) is 'Stores a secret; new_key_id is not used';

create function vault.update_secret(
  secret_id uuid,
  new_secret text default null,
  new_name text default null,
  new_description text default null,
  new_key_id uuid default null
)
returns void
language sql
security definer
set search_path = ''
as $$
  update vault.secrets
  set secret = coalesce(vault._encrypt(new_secret), secret),
    name = coalesce(new_name, name),
    description = coalesce(new_description, description),
    updated_at = now()
  where id = secret_id
$$;
comment on function vault.update_secret(uuid, text, text, text, uuid) is 'Changes what is given; new_key_id is not used';

revoke all on function vault.create_secret(text, text, text, uuid) from public;
revoke all on function vault.update_secret(uuid, text, text, text, uuid) from public;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
grant execute on function vault.create_secret(text, text, text, uuid), vault.update_secret(uuid, text, text, text, uuid),
  vault._decrypt(text) to postgres with grant option;
grant execute on function vault.create_secret(text, text, text, uuid), vault.update_secret(uuid, text, text, text, uuid),
  vault._decrypt(text) to service_role;
