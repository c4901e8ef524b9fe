-- Memberships change through three functions, since their rules compare the caller's role with the other person's and
-- count owners: no policy on a single row can say that. Whoever changes memberships holds the organization's row lock
-- first and reads roles after it, so that two owners who remove each other at once cannot both succeed.

-- Makes an organization and its first owner. Locks nothing. Any person who is signed in may call it. A definer: nobody
-- may insert memberships.
create function public.create_organization(p_name text) returns public.organizations
language plpgsql security definer
set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_name text := btrim(p_name);
  v_organization public.organizations;
begin
  if v_user_id is null then
    perform longshore_private.raise_error(401, 'not_authenticated',
      'Cannot create an organization: found no signed-in person');
  end if;
  if coalesce(v_name, '') = '' or char_length(v_name) > 200 then
    perform longshore_private.raise_error(400, 'invalid_request',
      format('Cannot create an organization: found a name of %s characters, expected 1 to 200',
        coalesce(char_length(v_name), 0)),
      jsonb_build_object('path', 'p_name'));
  end if;

  insert into public.organizations (name) values (v_name) returning * into v_organization;
  insert into public.memberships (org_id, user_id, role) values (v_organization.id, v_user_id, 'owner');
  return v_organization;
end;
$$;
comment on function public.create_organization is 'Makes an organization; the caller becomes its owner';
revoke all on function public.create_organization from public, anon, authenticated, service_role;
grant execute on function public.create_organization to authenticated;

-- Locks the organization's row and returns the caller's role in it as of after the lock; raises not_allowed for
-- everybody but owners and admins, and for an organization that is not there, alike. Called by the two functions below
-- only. A definer: nobody may lock organizations.
create function longshore_private.lock_organization(p_org_id uuid) returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  v_role text;
begin
  perform from public.organizations o where o.id = p_org_id for no key update;
  select m.role into v_role from public.memberships m where m.org_id = p_org_id and m.user_id = auth.uid();
  if v_role is null or v_role not in ('owner', 'admin') then
    perform longshore_private.raise_error(403, 'not_allowed',
      'Cannot change the members of this organization: expected its owner or an admin');
  end if;
  return v_role;
end;
$$;
comment on function longshore_private.lock_organization is
  'Serializes changes of an organization''s members and returns the caller''s role';
revoke all on function longshore_private.lock_organization from public;

-- Adds a person who has an account. Locks the organization's row. Owners and admins may call it; only an owner makes
-- owners. An email nobody has and one of a member are refused in the same words, so that accounts cannot be guessed, and
-- no role that somebody has already is changed, the caller's own included. A definer: it reads auth.users.
create function public.add_member(p_org_id uuid, p_email text, p_role text) returns public.memberships
language plpgsql security definer
set search_path = ''
as $$
declare
  v_caller_role text := longshore_private.lock_organization(p_org_id);
  v_membership public.memberships;
begin
  if p_role is null or p_role not in ('owner', 'admin', 'member', 'viewer') then
    perform longshore_private.raise_error(400, 'invalid_request',
      format('Cannot add this person: found the role "%s", expected "owner", "admin", "member" or "viewer"', p_role),
      jsonb_build_object('path', 'p_role'));
  end if;
  if p_role = 'owner' and v_caller_role <> 'owner' then
    perform longshore_private.raise_error(403, 'not_allowed',
      'Cannot add this person as an owner: found an admin, expected an owner to do so');
  end if;

  insert into public.memberships (org_id, user_id, role)
  select p_org_id, u.id, p_role
  from auth.users u
  where u.email = lower(btrim(p_email)) and not u.is_sso_user and u.deleted_at is null
  on conflict (org_id, user_id) do nothing
  returning * into v_membership;

  if v_membership.user_id is null then
    perform longshore_private.raise_error(409, 'member_not_added',
      'Cannot add this person: expected somebody who has an account and is not a member yet');
  end if;
  return v_membership;
end;
$$;
comment on function public.add_member is 'Adds a person with an account to an organization, as owner, admin, member or viewer';
revoke all on function public.add_member from public, anon, authenticated, service_role;
grant execute on function public.add_member to authenticated;

-- Takes a person out, with every project role that hangs on the membership. Locks the organization's row. Owners and
-- admins may call it, for themselves too; an admin removes no owner, and the last owner stays. A definer: nobody may
-- delete memberships.
create function public.remove_member(p_org_id uuid, p_user_id uuid) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_caller_role text := longshore_private.lock_organization(p_org_id);
  v_role text;
begin
  select m.role into v_role from public.memberships m where m.org_id = p_org_id and m.user_id = p_user_id;
  if v_role is null then
    perform longshore_private.raise_error(404, 'member_not_found',
      'Cannot remove this person: expected a member of the organization');
  end if;
  if v_role = 'owner' then
    if v_caller_role <> 'owner' then
      perform longshore_private.raise_error(403, 'not_allowed',
        'Cannot remove an owner: found an admin, expected an owner to do so');
    end if;
    if not exists (
      select from public.memberships m
      where m.org_id = p_org_id and m.role = 'owner' and m.user_id <> p_user_id
    ) then
      perform longshore_private.raise_error(409, 'last_owner',
        'Cannot remove the last owner: expected another owner to stay');
    end if;
  end if;

  delete from public.memberships m where m.org_id = p_org_id and m.user_id = p_user_id;
end;
$$;
comment on function public.remove_member is 'Takes a person out of an organization; the last owner stays';
revoke all on function public.remove_member from public, anon, authenticated, service_role;
grant execute on function public.remove_member to authenticated;
