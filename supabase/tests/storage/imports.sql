begin;
select plan(33);
select tests.create_people('Olga', 'Mia', 'Max', 'Vic', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('org')::uuid, tests.person('Max'), 'member'),
  (md5('org')::uuid, tests.person('Vic'), 'viewer'),
  (md5('other')::uuid, tests.person('Stranger'), 'owner');
-- Storage lets SQL delete while this is set, as it sets it itself.
set local storage.allow_delete_query = 'true';

create function pg_temp.upload(p_name text, p_owner text, p_bucket text default 'imports') returns bigint language sql as $$
  select tests.touched(format('insert into storage.objects (bucket_id, name, owner_id) values (%L, %L, %L)',
    p_bucket, replace(p_name, 'ORG', md5('org')::uuid::text), tests.person(p_owner)));
$$;
create function pg_temp.visible() returns bigint language sql as $$
  select count(*) from storage.objects where bucket_id = 'imports';
$$;

-- acting as a member
select tests.act_as('Mia');
select is(pg_temp.upload('ORG/mia.csv', 'Mia'), 1::bigint, 'a member uploads');
select is(pg_temp.upload('ORG/2026/november/mia.csv', 'Mia'), 1::bigint, 'into folders too');
select is(pg_temp.visible(), 2::bigint, 'and reads it');
select throws_ok($$select pg_temp.upload('ORG/max.csv', 'Max')$$, '42501', null, 'but not in another''s name');
select throws_ok(format('select pg_temp.upload(%L, %L)', md5('other')::uuid || '/mia.csv', 'Mia'), '42501', null, 'nor into another organization');
select throws_ok(format('select pg_temp.upload(%L, %L)', n, 'Mia'), '42501', null, format('nor under the name "%s"', n))
from unnest(array['mia.csv', '/mia.csv', 'ORG', '/ORG/mia.csv', '../ORG/mia.csv', 'x/ORG/mia.csv', 'null/mia.csv', '', 'ORG ',
  '{ORG}/mia.csv']) n;
select throws_ok(format('select pg_temp.upload(%L, %L)', upper(md5('org')::uuid::text) || '/mia.csv', 'Mia'), '42501', null,
  'an organization''s folder has one name');
select is(tests.touched($$update storage.objects set metadata = '{}' where bucket_id = 'imports'$$), 2::bigint, 'a member replaces own files');
select throws_ok(format('update storage.objects set name = %L where name like %L', md5('other')::uuid || '/mia.csv', '%/november/mia.csv'),
  '42501', null, 'but moves none to another organization');
select throws_ok(format('update storage.objects set bucket_id = %L where name like %L', 'exports', '%/november/mia.csv'),
  '42501', null, 'nor to another bucket');
select is(tests.touched($$delete from storage.objects where name like '%/november/mia.csv'$$), 1::bigint, 'and deletes own files');

-- acting as a colleague
select tests.act_as('Max');
select is(pg_temp.visible(), 0::bigint, 'a colleague does not see them');
select is(tests.touched($$update storage.objects set metadata = '{}' where bucket_id = 'imports'$$), 0::bigint, 'nor replaces them');
select is(tests.touched($$delete from storage.objects where bucket_id = 'imports'$$), 0::bigint, 'nor deletes them');

-- acting as a viewer
select tests.act_as('Vic');
select throws_ok($$select pg_temp.upload('ORG/vic.csv', 'Vic')$$, '42501', null, 'a viewer uploads nothing');

-- acting as a stranger
select tests.act_as('Stranger');
select is(pg_temp.visible(), 0::bigint, 'a stranger sees nothing');
select throws_ok($$select pg_temp.upload('ORG/stranger.csv', 'Stranger')$$, '42501', null, 'uploads nothing');
select is(tests.touched($$delete from storage.objects where bucket_id = 'imports'$$), 0::bigint, 'deletes nothing');

-- acting as anonymous
select tests.act_as_anonymous();
select is(pg_temp.visible(), 0::bigint, 'nobody sees files without signing in');
select throws_ok($$select pg_temp.upload('ORG/nobody.csv', 'Nobody')$$, '42501', null, 'or uploads them');

-- acting as a removed member
select tests.act_as('Olga');
select lives_ok($$select public.remove_member(md5('org')::uuid, tests.person('Mia'))$$, 'Mia is removed');
select tests.act_as('Mia');
select is(pg_temp.visible(), 0::bigint, 'a removed member does not see the own files any more');

-- acting as an admin
select tests.act_as('Olga');
select is(pg_temp.visible(), 1::bigint, 'an admin reads every file of the organization');
select is(tests.touched($$delete from storage.objects where bucket_id = 'imports'$$), 1::bigint, 'and deletes them');

select * from finish();
rollback;
