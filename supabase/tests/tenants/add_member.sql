begin;
select plan(22);
select tests.create_people('Olga', 'Adam', 'Mia', 'Vic', 'New1', 'New2', 'New3', 'New4', 'Stranger', 'Gone');
update auth.users set deleted_at = now() where id = tests.person('Gone');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org');
insert into public.memberships (org_id, user_id, role) values
  (md5('org')::uuid, tests.person('Olga'), 'owner'),
  (md5('org')::uuid, tests.person('Adam'), 'admin'),
  (md5('org')::uuid, tests.person('Mia'), 'member'),
  (md5('org')::uuid, tests.person('Vic'), 'viewer');

create function pg_temp.add(p_name text, p_role text, p_org text default 'org') returns text language sql as $$
  select tests.error_code(format('select public.add_member(%L, %L, %L)', md5(p_org)::uuid, tests.email(p_name), p_role));
$$;
create function pg_temp.role_of(p_name text) returns text language sql as $$
  select m.role from public.memberships m where m.user_id = tests.person(p_name);
$$;
create function pg_temp.error_of(p_name text) returns text language plpgsql as $$
begin
  perform public.add_member(md5('org')::uuid, tests.email(p_name), 'member');
  return null;
exception when sqlstate 'PGRST' then
  return sqlerrm;
end;
$$;

-- acting as an owner
select tests.act_as('Olga');
select is(pg_temp.add('New1', 'owner'), null, 'an owner makes owners');
select is(pg_temp.role_of('New1'), 'owner', 'with that role');
select is(pg_temp.add('New2', 'viewer'), null, 'an owner adds a viewer');
select is(pg_temp.error_of('Nobody'), pg_temp.error_of('Mia'), 'unknown emails and members are refused alike, word for word');
select is(pg_temp.add('Nobody', 'member'), 'member_not_added', 'an email that nobody has is refused');
select is(pg_temp.add('Gone', 'member'), 'member_not_added', 'a deleted account is nobody');
select is(pg_temp.add('Mia', 'admin'), 'member_not_added', 'a member is not added again');
select is(pg_temp.role_of('Mia'), 'member', 'and keeps the role');
select is(pg_temp.add('New3', 'emperor'), 'invalid_request', 'unknown roles are refused');
select is(pg_temp.add('New3', null), 'invalid_request', 'no role is refused');
select is(tests.error_code(format('select public.add_member(%L, %L, %L)', md5('org')::uuid, ' NEW3@Example.Test ', 'member')),
  null, 'an email is the same in capitals');
select is(pg_temp.role_of('New3'), 'member', 'and finds its person');

-- acting as an admin
select tests.act_as('Adam');
select is(pg_temp.add('New4', 'owner'), 'not_allowed', 'an admin makes no owners');
select is(pg_temp.add('Adam', 'owner'), 'not_allowed', 'not even of himself');
select is(pg_temp.add('Adam', 'member'), 'member_not_added', 'and does not edit his own role');
select is(pg_temp.add('New4', 'admin'), null, 'an admin makes admins');

-- acting as a member
select tests.act_as('Mia');
select is(pg_temp.add('Stranger', 'member'), 'not_allowed', 'a member adds nobody');

-- acting as a viewer
select tests.act_as('Vic');
select is(pg_temp.add('Stranger', 'member'), 'not_allowed', 'a viewer adds nobody');

-- acting as a stranger
select tests.act_as('Stranger');
select is(pg_temp.add('Stranger', 'member'), 'not_allowed', 'a stranger does not let himself in');
select is(pg_temp.add('Stranger', 'member', 'no such org'), 'not_allowed', 'an organization that is not there looks the same');

-- acting as anonymous
select tests.act_as_anonymous();
select throws_ok(format('select public.add_member(%L, %L, %L)', md5('org')::uuid, tests.email('Stranger'), 'member'),
  '42501', null, 'nobody does so without signing in');

select tests.act_as_postgres();
select is((select count(*) from public.memberships where org_id = md5('org')::uuid), 8::bigint, 'what was refused left nothing behind');

select * from finish();
rollback;
