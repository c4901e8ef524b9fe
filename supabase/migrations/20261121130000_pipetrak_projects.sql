-- PipeTrak follows pipe components on construction projects. A project belongs to an organization, and a person's right
-- in it comes from two places, the organization and the project, which caller_projects() brings together once, so that
-- no policy has to.
create schema pipetrak;
comment on schema pipetrak is 'PipeTrak: pipe components on construction projects';
revoke all on schema pipetrak from public;
grant usage on schema pipetrak to authenticated, service_role;

create table pipetrak.projects (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null,
  created_at timestamptz not null default now(),
  constraint projects_are_known_with_their_org unique (id, org_id),
  constraint project_name_is_not_blank check (btrim(name) <> ''),
  constraint project_name_has_at_most_200_characters check (char_length(name) <= 200)
);
comment on table pipetrak.projects is 'Construction projects of an organization; one that has components cannot be deleted';
create index projects_of_an_organization on pipetrak.projects (org_id);

create table pipetrak.project_members (
  project_id uuid not null,
  user_id uuid not null,
  org_id uuid not null,
  role text not null,
  created_at timestamptz not null default now(),
  primary key (project_id, user_id),
  constraint project_members_have_the_projects_org
    foreign key (project_id, org_id) references pipetrak.projects (id, org_id) on delete cascade,
  constraint project_members_belong_to_the_org
    foreign key (org_id, user_id) references public.memberships (org_id, user_id) on delete cascade,
  constraint project_role_is_known check (role in ('owner', 'admin', 'engineer', 'foreman', 'viewer'))
);
comment on table pipetrak.project_members is
  'Roles of an organization''s members in its projects; they end with the membership and do not come back with it';
comment on column pipetrak.project_members.org_id is 'The project''s organization, filled in by a trigger';
comment on column pipetrak.project_members.role is
  'owner: all; admin: all but owners; engineer: drawings, components, imports; foreman: milestones; viewer: reads. Counts for organization members only: its owners and admins may do everything, its viewers read';
create index project_members_of_a_person on pipetrak.project_members (org_id, user_id);

-- Fills in the organization, which the foreign keys need and clients need not know. A definer: it must find the project
-- before the policy, which runs after it, refuses the row.
create function pipetrak.fill_project_org() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  new.org_id := (select p.org_id from pipetrak.projects p where p.id = new.project_id);
  return new;
end;
$$;
comment on function pipetrak.fill_project_org is 'Trigger: a project member''s org_id is the project''s';
revoke all on function pipetrak.fill_project_org from public;

create trigger project_members_fill_org before insert on pipetrak.project_members
  for each row execute function pipetrak.fill_project_org();

-- What the caller is in which project: the organization's role first, the project's for plain members. A definer: the
-- policies of the tables it reads are made of it. Moves nothing, locks nothing. PL/pgSQL, as the helpers below: a
-- session keeps its plan, where a function in SQL is planned again for each statement that asks, which doubles what a row
-- costs that is written by itself.
create function pipetrak.caller_projects() returns table (project_id uuid, role text)
language plpgsql stable security definer rows 20
set search_path = ''
as $$
begin
  return query
  select p.id, case m.role when 'member' then pm.role when 'viewer' then 'viewer' else 'owner' end
  from public.memberships m
  join pipetrak.projects p on p.org_id = m.org_id
  left join pipetrak.project_members pm on pm.project_id = p.id and pm.user_id = m.user_id
  where m.user_id = (select auth.uid()) and (m.role <> 'member' or pm.role is not null);
end;
$$;
comment on function pipetrak.caller_projects is 'The caller''s role in each project, all sources of rights put together';
revoke all on function pipetrak.caller_projects from public;
grant execute on function pipetrak.caller_projects to authenticated, service_role;

-- The helpers of the policies. They take nothing from a row, so "project_id in (select …())" asks once a statement.
create function pipetrak.readable_projects() returns setof uuid
language plpgsql stable rows 20
set search_path = ''
as $$
begin
  return query select c.project_id from pipetrak.caller_projects() c;
end;
$$;
comment on function pipetrak.readable_projects is 'Projects that the caller may read: any role';
revoke all on function pipetrak.readable_projects from public;
grant execute on function pipetrak.readable_projects to authenticated, service_role;

create function pipetrak.movable_projects() returns setof uuid
language plpgsql stable rows 20
set search_path = ''
as $$
begin
  return query select c.project_id from pipetrak.caller_projects() c where c.role in ('owner', 'admin', 'engineer', 'foreman');
end;
$$;
comment on function pipetrak.movable_projects is 'Projects whose milestones the caller may move: foremen and up';
revoke all on function pipetrak.movable_projects from public;
grant execute on function pipetrak.movable_projects to authenticated, service_role;

create function pipetrak.writable_projects() returns setof uuid
language plpgsql stable rows 20
set search_path = ''
as $$
begin
  return query select c.project_id from pipetrak.caller_projects() c where c.role in ('owner', 'admin', 'engineer');
end;
$$;
comment on function pipetrak.writable_projects is
  'Projects whose drawings and components the caller may write and import: engineers and up';
revoke all on function pipetrak.writable_projects from public;
grant execute on function pipetrak.writable_projects to authenticated, service_role;

create function pipetrak.admin_projects() returns setof uuid
language plpgsql stable rows 20
set search_path = ''
as $$
begin
  return query select c.project_id from pipetrak.caller_projects() c where c.role in ('owner', 'admin');
end;
$$;
comment on function pipetrak.admin_projects is 'Projects whose members the caller may choose: admins and owners';
revoke all on function pipetrak.admin_projects from public;
grant execute on function pipetrak.admin_projects to authenticated, service_role;

create function pipetrak.owned_projects() returns setof uuid
language plpgsql stable rows 20
set search_path = ''
as $$
begin
  return query select c.project_id from pipetrak.caller_projects() c where c.role = 'owner';
end;
$$;
comment on function pipetrak.owned_projects is
  'Projects that the caller owns, or whose organization gives every right: who makes owners and deletes';
revoke all on function pipetrak.owned_projects from public;
grant execute on function pipetrak.owned_projects to authenticated, service_role;

alter table pipetrak.projects enable row level security;
alter table pipetrak.project_members enable row level security;

-- Admins read by the organization too: the helper's snapshot is older than the row that their "insert … returning" shows.
create policy projects_are_read_by_their_people on pipetrak.projects
  for select to authenticated
  using (org_id in (select public.admin_orgs()) or id in (select pipetrak.readable_projects()));
comment on policy projects_are_read_by_their_people on pipetrak.projects is
  'Owners, admins and viewers of the organization, and whoever has a role in the project';

create policy projects_are_made_by_org_admins on pipetrak.projects
  for insert to authenticated with check (org_id in (select public.admin_orgs()));
comment on policy projects_are_made_by_org_admins on pipetrak.projects is 'Owners and admins of the organization';

create policy projects_are_renamed_by_admins on pipetrak.projects
  for update to authenticated
  using (id in (select pipetrak.admin_projects())) with check (id in (select pipetrak.admin_projects()));
comment on policy projects_are_renamed_by_admins on pipetrak.projects is 'The name is the only column granted';

create policy projects_are_deleted_by_owners on pipetrak.projects
  for delete to authenticated using (id in (select pipetrak.owned_projects()));
comment on policy projects_are_deleted_by_owners on pipetrak.projects is
  'Project owners and whoever the organization gives every right';

create policy project_members_are_read_by_the_project on pipetrak.project_members
  for select to authenticated using (project_id in (select pipetrak.readable_projects()));
comment on policy project_members_are_read_by_the_project on pipetrak.project_members is 'Everybody who reads the project';

create policy project_members_are_added_by_admins on pipetrak.project_members
  for insert to authenticated
  with check (
    project_id in (select pipetrak.owned_projects())
    or (project_id in (select pipetrak.admin_projects()) and role <> 'owner')
  );
comment on policy project_members_are_added_by_admins on pipetrak.project_members is 'Admins; only owners make owners';

create policy project_members_are_changed_by_admins on pipetrak.project_members
  for update to authenticated
  using (
    user_id <> (select auth.uid())
    and (
      project_id in (select pipetrak.owned_projects())
      or (project_id in (select pipetrak.admin_projects()) and role <> 'owner')
    )
  )
  with check (
    user_id <> (select auth.uid())
    and (
      project_id in (select pipetrak.owned_projects())
      or (project_id in (select pipetrak.admin_projects()) and role <> 'owner')
    )
  );
comment on policy project_members_are_changed_by_admins on pipetrak.project_members is
  'Admins, but nobody a role of his own, and only owners touch or make owners';

create policy project_members_are_removed_by_admins on pipetrak.project_members
  for delete to authenticated
  using (
    project_id in (select pipetrak.owned_projects())
    or (project_id in (select pipetrak.admin_projects()) and role <> 'owner')
  );
comment on policy project_members_are_removed_by_admins on pipetrak.project_members is 'Admins; only owners remove owners';

grant select, insert (id, org_id, name), update (name), delete on pipetrak.projects to authenticated;
grant select, insert (project_id, user_id, role), update (role), delete on pipetrak.project_members to authenticated;
grant select, insert, update, delete on pipetrak.projects, pipetrak.project_members to service_role;
