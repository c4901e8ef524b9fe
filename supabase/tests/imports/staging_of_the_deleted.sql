-- An organization that is deleted while a check of it is staged leaves no rows behind.
begin;
select plan(5);
select tests.create_people('Mia');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org');
insert into public.memberships (org_id, user_id, role) values (md5('org')::uuid, tests.person('Mia'), 'member');
insert into jobs.jobs (id, kind, org_id, owner_id) values (md5('check')::uuid, 'import_check', md5('org')::uuid, tests.person('Mia'));
insert into jobs_private.job_state (job_id, function_name, owner_id) values (md5('check')::uuid, 'import', tests.person('Mia'));

create temp table taken as select jobs_private.take_slot(md5('check')::uuid, tests.person('Mia')) as slot;
create function pg_temp.staged() returns bigint language plpgsql as $$
declare
  v_count bigint;
begin
  execute format('select count(*) from jobs_staging.rows_%s', (select slot from taken)) into v_count;
  return v_count;
end
$$;
do $$ begin execute format('insert into jobs_staging.rows_%s (row_number, c1) values (2, ''secret'')', (select slot from taken)); end $$;
select is(pg_temp.staged(), 1::bigint, 'a row waits');
set constraints all immediate;
delete from public.organizations where id = md5('org')::uuid;
select is((select count(*)::int from jobs.jobs where id = md5('check')::uuid), 0, 'the check goes with its organization');
select lives_ok('select jobs_private.tick()', 'the next tick');
select is(pg_temp.staged(), 0::bigint, 'takes its rows away');
select is((select s.owner_id from jobs_private.staging_slots s where s.slot = (select slot from taken)), null, 'and frees the slot');

select * from finish();
rollback;
