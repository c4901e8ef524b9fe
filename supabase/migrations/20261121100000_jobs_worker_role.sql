-- Slices of work log in as a role that can do nothing but call the engine and become "authenticated" inside a
-- transaction. A person's data is then written under that person's rights, and code that runs in a trigger cannot
-- switch back to anything stronger. The password is set outside (docs/operations.md); without one nobody can log in.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'longshore_worker') then
    create role longshore_worker login noinherit;
  end if;
end
$$;

-- "set" without "inherit": the worker has a person's rights only where it becomes that person.
grant authenticated to longshore_worker with inherit false, set true;

-- What a dead worker left running ends by itself.
alter role longshore_worker set statement_timeout = '120s';
alter role longshore_worker set lock_timeout = '5s';
alter role longshore_worker set idle_in_transaction_session_timeout = '60s';
alter role longshore_worker set client_connection_check_interval = '5s';

comment on role longshore_worker is
  'Login of the slices of work: executes the engine''s functions and becomes authenticated, nothing else';
