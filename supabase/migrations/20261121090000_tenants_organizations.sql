-- Every system of Longshore belongs to organizations of people. Their rights hang on one table, memberships, that only
-- the functions below write: what nobody can write through the API, nobody can use to rise.

-- What functions share and the API does not show.
create schema longshore_private;
comment on schema longshore_private is 'Functions the other schemas build on; not exposed through the API';
revoke all on schema longshore_private from public;
grant usage on schema longshore_private to anon, authenticated, service_role;

-- Moves nothing, locks nothing. Raises the one shape of error that callers of the API see, with its HTTP status.
-- PostgREST reads details as text, so an object travels as JSON inside that text. Anyone may call it.
create function longshore_private.raise_error(
  p_status integer,
  p_code text,
  p_message text,
  p_details jsonb default null
) returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PGRST' using
    message = json_build_object('code', p_code, 'message', p_message, 'details', p_details::text)::text,
    detail = json_build_object('status', p_status, 'headers', json_build_object())::text;
end;
$$;
comment on function longshore_private.raise_error is
  'Raises {code, message, details} with an HTTP status, in the form that PostgREST passes on';
revoke all on function longshore_private.raise_error from public;
grant execute on function longshore_private.raise_error to anon, authenticated, service_role;

create table public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  created_at timestamptz not null default now(),
  constraint organization_name_is_not_blank check (btrim(name) <> ''),
  constraint organization_name_has_at_most_200_characters check (char_length(name) <= 200)
);
comment on table public.organizations is 'The tenants: each owns its projects, accounts, jobs and files';
comment on column public.organizations.name is 'What people call it; need not be unique';

create table public.memberships (
  org_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, user_id),
  constraint membership_role_is_known check (role in ('owner', 'admin', 'member', 'viewer'))
);
comment on table public.memberships is 'Who belongs to which organization; written by add_member and remove_member only';
comment on column public.memberships.role is
  'owner and admin: every right in the organization; member: what a project or account gives; viewer: reads everything';
-- The policies' helpers look up by person, and so does the deletion of an account.
create index memberships_of_a_person on public.memberships (user_id) include (org_id, role);

-- The three helpers answer for the caller and take nothing from a row, so that a policy written as
-- "org_id in (select public.member_orgs())" asks once a statement, not once a row. Definers: they read memberships
-- past the policies that are made of them. They move nothing and lock nothing.
create function public.member_orgs() returns setof uuid
language sql stable security definer rows 5
set search_path = ''
as $$
  select m.org_id from public.memberships m where m.user_id = (select auth.uid());
$$;
comment on function public.member_orgs is 'Organizations that the caller belongs to, in any role';
revoke all on function public.member_orgs from public, anon, authenticated, service_role;
grant execute on function public.member_orgs to authenticated, service_role;

create function public.admin_orgs() returns setof uuid
language sql stable security definer rows 5
set search_path = ''
as $$
  select m.org_id from public.memberships m
  where m.user_id = (select auth.uid()) and m.role in ('owner', 'admin');
$$;
comment on function public.admin_orgs is 'Organizations in which the caller has every right: owners and admins';
revoke all on function public.admin_orgs from public, anon, authenticated, service_role;
grant execute on function public.admin_orgs to authenticated, service_role;

create function public.contributor_orgs() returns setof uuid
language sql stable security definer rows 5
set search_path = ''
as $$
  select m.org_id from public.memberships m
  where m.user_id = (select auth.uid()) and m.role in ('owner', 'admin', 'member');
$$;
comment on function public.contributor_orgs is
  'Organizations into which the caller may upload files to import: everybody but viewers';
revoke all on function public.contributor_orgs from public, anon, authenticated, service_role;
grant execute on function public.contributor_orgs to authenticated, service_role;

alter table public.organizations enable row level security;
alter table public.memberships enable row level security;

create policy organizations_are_read_by_members on public.organizations
  for select to authenticated using (id in (select public.member_orgs()));
comment on policy organizations_are_read_by_members on public.organizations is 'Members of any role see their own';

create policy organizations_are_renamed_by_admins on public.organizations
  for update to authenticated
  using (id in (select public.admin_orgs())) with check (id in (select public.admin_orgs()));
comment on policy organizations_are_renamed_by_admins on public.organizations is
  'Owners and admins; the name is the only column granted';

create policy memberships_are_read_by_members on public.memberships
  for select to authenticated using (org_id in (select public.member_orgs()));
comment on policy memberships_are_read_by_members on public.memberships is
  'Members see who else belongs, as ids and roles; there is no policy to write';

-- Projects made before 2026-05-30 grant everything that comes into being in "public" to the roles of the API.
revoke all on public.organizations, public.memberships from public, anon, authenticated, service_role;
grant select, update (name) on public.organizations to authenticated;
grant select on public.memberships to authenticated;
-- The back office: nothing in the product writes with the secret key.
grant select, insert, update, delete on public.organizations, public.memberships to service_role;
