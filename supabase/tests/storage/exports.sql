begin;
select plan(14);
select tests.create_people('Olga', 'Mia', 'Max', 'Vic', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('org')::uuid, tests.person('Max'), 'member'),
  (md5('org')::uuid, tests.person('Vic'), 'viewer'),
  (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into jobs.jobs (id, kind, org_id, owner_id) values (md5('job')::uuid, 'export', md5('org')::uuid, tests.person('Mia'));
insert into storage.objects (bucket_id, name) values
  ('exports', md5('org')::uuid || '/' || md5('job')::uuid || '/components.csv'),
  -- The job's folder under another organization, and names that are no paths of a job.
  ('exports', md5('other')::uuid || '/' || md5('job')::uuid || '/components.csv'),
  ('exports', md5('org')::uuid || '/not-a-job/components.csv'),
  ('exports', md5('org')::uuid || '/components.csv'),
  ('exports', 'components.csv');
set local storage.allow_delete_query = 'true';

create function pg_temp.visible() returns bigint language sql as $$
  select count(*) from storage.objects where bucket_id = 'exports';
$$;
create function pg_temp.forge() returns bigint language sql as $$
  select tests.touched(format('insert into storage.objects (bucket_id, name, owner_id) values (%L, %L, %L)', 'exports',
    md5('org')::uuid || '/' || md5('job')::uuid || '/forged.csv', auth.uid()));
$$;

-- acting as the job's owner
select tests.act_as('Mia');
select results_eq($$select name from storage.objects where bucket_id = 'exports'$$,
  format('values (%L)', md5('org')::uuid || '/' || md5('job')::uuid || '/components.csv'),
  'the job''s owner reads its files, and names that are none raise nothing');
select throws_ok('select pg_temp.forge()', '42501', null, 'but writes none');
select is(tests.touched($$update storage.objects set metadata = '{}' where bucket_id = 'exports'$$), 0::bigint, 'replaces none');
select is(tests.touched($$delete from storage.objects where bucket_id = 'exports'$$), 0::bigint, 'deletes none');

-- acting as the organization's admin
select tests.act_as('Olga');
select is(pg_temp.visible(), 1::bigint, 'an admin reads it');
select throws_ok('select pg_temp.forge()', '42501', null, 'but writes none');

-- acting as a colleague and as a viewer
select tests.act_as('Max');
select is(pg_temp.visible(), 0::bigint, 'a colleague reads nothing');
select tests.act_as('Vic');
select is(pg_temp.visible(), 0::bigint, 'a viewer neither');

-- acting as a stranger
select tests.act_as('Stranger');
select is(pg_temp.visible(), 0::bigint, 'a stranger reads nothing, not even what lies in the own organization''s folder by mistake');
select throws_ok('select pg_temp.forge()', '42501', null, 'nor writes');

-- acting as anonymous
select tests.act_as_anonymous();
select is(pg_temp.visible(), 0::bigint, 'nobody reads exports without signing in');

-- acting as the service
select tests.act_as_service();
select is(pg_temp.forge(), 1::bigint, 'the service writes exports');

-- acting as a removed owner of the job
select tests.act_as('Olga');
select lives_ok($$select public.remove_member(md5('org')::uuid, tests.person('Mia'))$$, 'Mia is removed');
select tests.act_as('Mia');
select is(pg_temp.visible(), 0::bigint, 'and does not read the own exports any more');

select * from finish();
rollback;
