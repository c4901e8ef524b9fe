-- What makes PostgREST notice changes of the schema: hosted projects have these event triggers, so a migration needs no
-- `notify` of its own. As hosted, changes of temporary objects do not count.
create function extensions.pgrst_ddl_watch()
returns event_trigger
language plpgsql
set search_path = ''
as $$
declare
  v_command record;
begin
  for v_command in select * from pg_catalog.pg_event_trigger_ddl_commands()
  loop
    if v_command.command_tag in (
      'CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
      'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW',
      'ALTER MATERIALIZED VIEW', 'CREATE FUNCTION', 'ALTER FUNCTION', 'CREATE TRIGGER', 'CREATE TYPE', 'ALTER TYPE',
      'CREATE RULE', 'COMMENT'
    ) and v_command.schema_name is distinct from 'pg_temp'
      and coalesce(v_command.schema_name, '') not in ('auth', 'realtime', 'storage')
    then
      perform pg_catalog.pg_notify('pgrst', 'reload schema');
    end if;
  end loop;
end
$$;
comment on function extensions.pgrst_ddl_watch() is 'Tells PostgREST that the schema has changed';

create function extensions.pgrst_drop_watch()
returns event_trigger
language plpgsql
set search_path = ''
as $$
declare
  v_object record;
begin
  for v_object in select * from pg_catalog.pg_event_trigger_dropped_objects()
  loop
    if v_object.object_type in (
      'schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'trigger', 'type', 'rule'
    ) and not v_object.is_temporary
      and coalesce(v_object.schema_name, '') not in ('auth', 'realtime', 'storage')
    then
      perform pg_catalog.pg_notify('pgrst', 'reload schema');
    end if;
  end loop;
end
$$;
comment on function extensions.pgrst_drop_watch() is 'Tells PostgREST that something has been dropped';

create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
