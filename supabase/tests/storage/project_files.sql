begin;
select plan(50);
select tests.create_people('Olga', 'Eve', 'Fay', 'Vic', 'Mia', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role)
select md5('org')::uuid, tests.person(n), case n when 'Olga' then 'owner' when 'Vic' then 'viewer' else 'member' end
from unnest(array['Olga', 'Eve', 'Fay', 'Vic', 'Mia']) n;
insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into pipetrak.projects (id, org_id, name) values
  (md5('plant')::uuid, md5('org')::uuid, 'Plant'),
  (md5('terminal')::uuid, md5('org')::uuid, 'Terminal'),
  (md5('elsewhere')::uuid, md5('other')::uuid, 'Elsewhere');
insert into pipetrak.project_members (project_id, user_id, role) values
  (md5('plant')::uuid, tests.person('Eve'), 'engineer'),
  (md5('terminal')::uuid, tests.person('Eve'), 'viewer'),
  (md5('plant')::uuid, tests.person('Fay'), 'foreman');
set local storage.allow_delete_query = 'true';

-- ORG and PLANT stand for the ids; the file's name is given without them.
create function pg_temp.path(p_name text) returns text language sql as $$
  select replace(replace(p_name, 'ORG', md5('org')::uuid::text), 'PLANT', md5('plant')::uuid::text);
$$;
create function pg_temp.upload(p_bucket text, p_name text default 'ORG/PLANT/new.pdf') returns bigint language sql as $$
  select tests.touched(format('insert into storage.objects (bucket_id, name, owner_id) values (%L, %L, %L)',
    p_bucket, pg_temp.path(p_name), auth.uid()));
$$;
create function pg_temp.visible(p_bucket text) returns bigint language sql as $$
  select count(*) from storage.objects where bucket_id = p_bucket;
$$;
create function pg_temp.replaced(p_bucket text) returns bigint language sql as $$
  select tests.touched(format('update storage.objects set metadata = %L where bucket_id = %L', '{}', p_bucket));
$$;
create function pg_temp.deleted(p_bucket text) returns bigint language sql as $$
  select tests.touched(format('delete from storage.objects where bucket_id = %L', p_bucket));
$$;

insert into storage.objects (bucket_id, name)
select b, n from unnest(array['drawings', 'attachments']) b, unnest(array[
  pg_temp.path('ORG/PLANT/a.pdf'),
  md5('other')::uuid || '/' || md5('elsewhere')::uuid || '/a.pdf',
  -- A project's folder under another organization.
  md5('other')::uuid || '/' || md5('plant')::uuid || '/a.pdf']) n;

-- acting as an engineer
select tests.act_as('Eve');
select is(pg_temp.visible(b), 1::bigint, format('an engineer reads the project''s %s only', b)) from unnest(array['drawings', 'attachments']) b;
select is(pg_temp.upload(b), 1::bigint, format('uploads %s', b)) from unnest(array['drawings', 'attachments']) b;
select is(pg_temp.upload(b, 'ORG/PLANT/area 1/new.pdf'), 1::bigint, format('uploads %s into folders', b)) from unnest(array['drawings', 'attachments']) b;
select is(pg_temp.replaced(b), 3::bigint, format('replaces %s', b)) from unnest(array['drawings', 'attachments']) b;
select throws_ok(format('update storage.objects set name = %L where bucket_id = %L and name = %L',
  md5('other')::uuid || '/' || md5('plant')::uuid || '/new.pdf', b, pg_temp.path('ORG/PLANT/new.pdf')), '42501', null,
  format('moves no %s out of the project', b)) from unnest(array['drawings', 'attachments']) b;
select throws_ok(format('update storage.objects set name = %L where bucket_id = %L and name = %L',
  md5('org')::uuid || '/' || md5('terminal')::uuid || '/new.pdf', b, pg_temp.path('ORG/PLANT/new.pdf')), '42501', null,
  format('nor to a project of which the %s are only read', b)) from unnest(array['drawings', 'attachments']) b;
select throws_ok(format('update storage.objects set name = %L where name = %L and bucket_id = %L',
  pg_temp.path('ORG/PLANT/new.html'), pg_temp.path('ORG/PLANT/new.pdf'), 'drawings'), '42501', null,
  'nor gives a drawing an ending that is none');
select is(pg_temp.deleted(b), 3::bigint, format('deletes %s', b)) from unnest(array['drawings', 'attachments']) b;
select throws_ok(format('select pg_temp.upload(%L, %L)', b, n), '42501', null, format('%s refuses "%s"', b, n))
from unnest(array['drawings', 'attachments']) b,
  unnest(array['new.pdf', 'ORG/new.pdf', 'PLANT/new.pdf', 'ORG/x/new.pdf', 'PLANT/ORG/new.pdf', 'ORG//PLANT/new.pdf',
    'ORG/PLANT']) n;
select throws_ok(format('select pg_temp.upload(%L, %L)', 'drawings', 'ORG/PLANT/' || n), '42501', null, format('drawings refuses "%s"', n))
from unnest(array['a.exe', 'a.pdf.html', 'pdf2']) n;
select is(pg_temp.upload('drawings', 'ORG/PLANT/' || n), 1::bigint, format('drawings takes "%s"', n))
from unnest(array['A.DWG', 'a.dxf']) n;

-- acting as a foreman
select tests.act_as('Fay');
select is(pg_temp.visible('drawings'), 2::bigint, 'a foreman reads drawings');
select throws_ok($$select pg_temp.upload('drawings')$$, '42501', null, 'uploads none');
select throws_ok($$select pg_temp.upload('attachments')$$, '42501', null, 'nor attachments');
select is(pg_temp.replaced('drawings'), 0::bigint, 'replaces none');
select is(pg_temp.deleted('drawings'), 0::bigint, 'deletes none');

-- acting as the organization's viewer
select tests.act_as('Vic');
select is(pg_temp.visible('drawings'), 2::bigint, 'a viewer reads drawings');
select throws_ok($$select pg_temp.upload('drawings')$$, '42501', null, 'uploads none');

-- acting as a colleague who is not in the project
select tests.act_as('Mia');
select is(pg_temp.visible('drawings'), 0::bigint, 'a colleague reads no other project''s drawings');
select throws_ok($$select pg_temp.upload('drawings')$$, '42501', null, 'uploads none');

-- acting as a stranger
select tests.act_as('Stranger');
select is((select count(*) from storage.objects where name = pg_temp.path('ORG/PLANT/A.DWG')), 0::bigint, 'a stranger reads none');
select throws_ok($$select pg_temp.upload('drawings')$$, '42501', null, 'uploads none');

-- acting as anonymous
select tests.act_as_anonymous();
select is(pg_temp.visible('drawings') + pg_temp.visible('attachments'), 0::bigint, 'nobody reads files without signing in');

-- acting as the organization's owner
select tests.act_as('Olga');
select is(pg_temp.visible('drawings'), 2::bigint, 'the organization''s owner reads drawings');
select is(pg_temp.upload('drawings'), 1::bigint, 'uploads them');
select is(pg_temp.deleted('drawings'), 3::bigint, 'and deletes them');

select tests.act_as_postgres();
select is((select count(*) from storage.buckets where public and id in ('imports', 'exports', 'drawings', 'attachments')), 0::bigint, 'no bucket is public');

select * from finish();
rollback;
