-- Realtime as a hosted project has it: realtime.messages, the functions that write to it, their owners and grants.
-- Run as supabase_admin. Left out: postgres_changes (realtime.subscription, its filters and its publication), and the
-- publication for logical decoding, in whose place a trigger in _realtime tells the stand-in what was inserted.
--
-- The functions keep their hosted bodies, and with them two habits that are not this project's: no search_path of
-- their own (policies that they set off see the caller's, as hosted) and EXECUTE for PUBLIC.
create schema realtime authorization supabase_admin;
grant usage on schema realtime to postgres with grant option;
grant usage on schema realtime to anon, authenticated, service_role;
grant all on schema realtime to supabase_realtime_admin;

create table realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  id uuid not null default gen_random_uuid(),
  binary_payload bytea,
  primary key (id, inserted_at),
  constraint messages_payload_exclusive check (payload is null or binary_payload is null)
) partition by range (inserted_at);
comment on table realtime.messages is
  'Broadcasts on their way to sockets, and the table whose policies say who may read and write a private topic';

create index messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic)
  where extension = 'broadcast' and private is true;

alter table realtime.messages enable row level security;
alter table realtime.messages owner to supabase_realtime_admin;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;

-- Writes one row, which reaches the topic's sockets after the commit. As the caller: it needs an INSERT policy or
-- bypassrls. Every error becomes a warning, and the message is lost.
create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql as $$
declare
  generated_id uuid;
  final_payload jsonb;
begin
  begin
    generated_id := gen_random_uuid();
    if payload ? 'id' then
      final_payload := payload;
    else
      final_payload := jsonb_set(payload, '{id}', to_jsonb(generated_id));
    end if;
    execute format('set local realtime.topic to %L', topic);
    insert into realtime.messages (id, payload, event, topic, private, extension)
    values (generated_id, final_payload, event, topic, private, 'broadcast');
  exception
    when others then
      raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
  end;
end;
$$;
alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;
grant execute on function realtime.send(jsonb, text, text, boolean) to postgres, anon, authenticated, service_role;

-- realtime.send() for bytes: no id is added to the payload.
create function realtime.send_binary(payload bytea, event text, topic text, private boolean default true) returns void
language plpgsql as $$
declare
  generated_id uuid;
begin
  begin
    generated_id := gen_random_uuid();
    execute format('set local realtime.topic to %L', topic);
    insert into realtime.messages (id, binary_payload, event, topic, private, extension)
    values (generated_id, payload, event, topic, private, 'broadcast');
  exception
    when others then
      raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
  end;
end;
$$;
alter function realtime.send_binary(bytea, text, text, boolean) owner to supabase_realtime_admin;
grant execute on function realtime.send_binary(bytea, text, text, boolean)
  to postgres, anon, authenticated, service_role;

-- For row triggers: sends the old and the new row, always to the private topic. Raises on what is not a row change.
create function realtime.broadcast_changes(
  topic_name text,
  event_name text,
  operation text,
  table_name text,
  table_schema text,
  new record,
  old record,
  level text default 'ROW'
) returns void
language plpgsql as $$
declare
  row_data jsonb := '{}'::jsonb;
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  if operation = 'INSERT' or operation = 'UPDATE' or operation = 'DELETE' then
    row_data := jsonb_build_object(
      'old_record', old, 'record', new, 'operation', operation, 'table', table_name, 'schema', table_schema
    );
    perform realtime.send(row_data, event_name, topic_name);
  else
    raise exception 'Unexpected operation type: %', operation;
  end if;
exception
  when others then
    raise exception 'Failed to process the row: %', sqlerrm;
end;
$$;
alter function realtime.broadcast_changes(text, text, text, text, text, record, record, text)
  owner to supabase_realtime_admin;
grant execute on function realtime.broadcast_changes(text, text, text, text, text, record, record, text)
  to postgres, anon, authenticated, service_role;

-- The topic that is being joined or written to: what policies on realtime.messages compare.
create function realtime.topic() returns text
language sql stable as $$
  select nullif(current_setting('realtime.topic', true), '')::text;
$$;
alter function realtime.topic() owner to supabase_realtime_admin;
grant execute on function realtime.topic() to postgres, anon, authenticated, service_role;

create schema _realtime authorization supabase_admin;
comment on schema _realtime is 'What only the local stand-in needs; a hosted project has none of it';

-- Tells the stand-in of a row that sockets should see. NOTIFY is delivered after the commit and in commit order, and
-- a rollback (such as the probes that authorize a channel) takes it back. Reads and locks nothing else.
create function _realtime.announce_message() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_catalog.pg_notify('realtime_messages', new.id::text);
  return null;
end;
$$;
revoke execute on function _realtime.announce_message() from public;

create trigger announce_message after insert on realtime.messages
for each row when (new.event is not null and new.private is not null)
execute function _realtime.announce_message();

-- Makes the partitions of p_today's eve and of the three days after it, and drops those that ended 72 hours ago.
-- Locks realtime.messages where it changes something. Called by the stand-in every hour, and here once, so that a
-- database without the stand-in can send.
create function _realtime.keep_partitions(p_today date) returns void
language plpgsql set search_path = '' as $$
declare
  v_day date;
  v_name text;
begin
  for v_day in select p_today + i from generate_series(-1, 3) as i loop
    v_name := 'messages_' || to_char(v_day, 'YYYY_MM_DD');
    if to_regclass('realtime.' || v_name) is null then
      execute format(
        'create table realtime.%I partition of realtime.messages for values from (%L) to (%L)',
        v_name, v_day, v_day + 1
      );
      execute format('alter table realtime.%I owner to supabase_realtime_admin', v_name);
    end if;
  end loop;
  for v_name in
    select c.relname
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass
      and to_date(substr(c.relname, 10), 'YYYY_MM_DD') < p_today - 3
  loop
    execute format('drop table realtime.%I', v_name);
  end loop;
end;
$$;
revoke execute on function _realtime.keep_partitions(date) from public;

select _realtime.keep_partitions(current_date);
