-- Takes back the tenants. Everything that refers to them must be rolled back first.
drop table public.memberships;
drop table public.organizations;
drop function public.member_orgs();
drop function public.admin_orgs();
drop function public.contributor_orgs();
drop function longshore_private.raise_error(integer, text, text, jsonb);
drop schema longshore_private;
