-- Takes back staging with every row that waits in it: checks that are not committed yet cannot be committed any more.
create or replace function jobs_private.drop_staging(p_job_id uuid) returns void
language sql
security invoker
set search_path = ''
as $$
$$;
comment on function jobs_private.drop_staging(uuid) is 'Drops what a check has staged';
revoke execute on function jobs_private.drop_staging(uuid) from longshore_worker;
drop function jobs_private.take_slot;
drop function jobs_private.empty_slot;
drop function jobs_private.create_staging;
drop type jobs_private.row_problem;
-- Slots made tables of their own, as many as there were imports at once.
drop schema jobs_staging cascade;
drop table jobs_private.imports;
drop table jobs_private.staging_slots;
update jobs_private.job_state set staging_until = null where staging_until is not null;
