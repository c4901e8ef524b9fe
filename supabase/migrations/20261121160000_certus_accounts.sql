-- Certus runs the phone assistants of restaurants. An account belongs to an organization and has locations; a person's
-- right comes from the organization or from the account, an operator's also from the locations given to the operator.
-- caller_accounts() brings the two sources together once, so that no policy has to.
create schema certus;
comment on schema certus is 'Certus: what the phone assistants of restaurants did, and how they are set up';
revoke all on schema certus from public;
grant usage on schema certus to authenticated, service_role;

create table certus.accounts (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id),
  name text not null,
  currency text not null default 'GBP',
  created_at timestamptz not null default now(),
  constraint accounts_are_known_with_their_org unique (id, org_id),
  constraint account_name_is_not_blank check (btrim(name) <> ''),
  constraint account_name_has_at_most_200_characters check (char_length(name) <= 200),
  constraint currency_is_three_capital_letters check (currency ~ '^[A-Z]{3}$')
);
comment on table certus.accounts is 'Restaurant businesses of an organization; one that has locations cannot be deleted';
comment on column certus.accounts.currency is 'ISO 4217 code of every amount of the account';
create index accounts_of_an_organization on certus.accounts (org_id);

create table certus.locations (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references certus.accounts (id),
  code text not null,
  name text not null,
  time_zone text not null default 'Europe/London',
  avg_spend_per_head numeric(10, 2) not null default 0,
  created_at timestamptz not null default now(),
  constraint location_code_is_unique_in_the_account unique (account_id, code),
  constraint locations_are_known_with_their_account unique (id, account_id),
  constraint location_code_is_not_blank check (btrim(code) <> ''),
  constraint location_code_has_at_most_40_characters check (char_length(code) <= 40),
  constraint location_name_is_not_blank check (btrim(name) <> ''),
  constraint location_name_has_at_most_200_characters check (char_length(name) <= 200),
  -- Raises for a zone that Postgres does not know.
  constraint time_zone_is_known check ((timestamptz 'epoch' at time zone time_zone) is not null),
  -- NaN is more than every number, and infinity is none.
  constraint avg_spend_per_head_is_not_negative check (avg_spend_per_head >= 0 and avg_spend_per_head < 'Infinity')
);
comment on table certus.locations is 'Restaurants of an account; one that has calls, orders or reservations cannot be deleted';
comment on column certus.locations.code is 'What files call it, unique in the account';
comment on column certus.locations.time_zone is 'IANA name; decides which local day a call belongs to';
comment on column certus.locations.avg_spend_per_head is
  'What a guest is expected to spend, for the estimated revenue of reservations that say nothing themselves';

create table certus.account_members (
  account_id uuid not null,
  user_id uuid not null,
  org_id uuid not null,
  role text not null,
  created_at timestamptz not null default now(),
  primary key (account_id, user_id),
  constraint account_members_have_the_accounts_org
    foreign key (account_id, org_id) references certus.accounts (id, org_id) on delete cascade,
  constraint account_members_belong_to_the_org
    foreign key (org_id, user_id) references public.memberships (org_id, user_id) on delete cascade,
  constraint account_role_is_known check (role in ('admin', 'operator'))
);
comment on table certus.account_members is
  'Roles of an organization''s members in its accounts; they end with the membership and do not come back with it';
comment on column certus.account_members.org_id is 'The account''s organization, filled in by a trigger';
comment on column certus.account_members.role is
  'admin: everything in the account, whole phone numbers; operator: the locations given in member_locations, phone numbers masked. Counts for organization members only: its owners and admins are admins, its viewers read';
create index account_members_of_a_person on certus.account_members (org_id, user_id);
create index account_members_with_their_org on certus.account_members (account_id, org_id);

create table certus.member_locations (
  account_id uuid not null,
  user_id uuid not null,
  location_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (user_id, location_id),
  constraint member_locations_are_of_account_members
    foreign key (account_id, user_id) references certus.account_members (account_id, user_id) on delete cascade,
  constraint member_locations_are_of_the_same_account
    foreign key (location_id, account_id) references certus.locations (id, account_id) on delete cascade
);
comment on table certus.member_locations is 'The locations that an operator sees; admins see all without';
create index member_locations_of_a_member on certus.member_locations (account_id, user_id);
create index member_locations_of_a_location on certus.member_locations (location_id, account_id);

-- Fills in the organization, which the foreign keys need and clients need not know. A definer: it must find the account
-- before the policy, which runs after it, refuses the row.
create function certus.fill_account_org() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  new.org_id := (select a.org_id from certus.accounts a where a.id = new.account_id);
  return new;
end;
$$;
comment on function certus.fill_account_org is 'Trigger: an account member''s org_id is the account''s';
revoke all on function certus.fill_account_org from public;

create trigger account_members_fill_org before insert on certus.account_members
  for each row execute function certus.fill_account_org();

-- What the caller is in which account: the organization's role first, the account's for plain members. A definer: the
-- policies of the tables it reads are made of it. PL/pgSQL, which keeps its plan from one request of a session to the
-- next: SQL functions are planned anew each time, which costs more than running them. Moves nothing, locks nothing.
create function certus.caller_accounts() returns table (account_id uuid, role text)
language plpgsql stable security definer rows 5
set search_path = ''
as $$
begin
  return query
  select a.id, case m.role when 'member' then am.role when 'viewer' then 'viewer' else 'admin' end
  from public.memberships m
  join certus.accounts a on a.org_id = m.org_id
  left join certus.account_members am on am.account_id = a.id and am.user_id = m.user_id
  where m.user_id = auth.uid() and (m.role <> 'member' or am.role is not null);
end;
$$;
comment on function certus.caller_accounts is 'The caller''s role in each account: admin, operator or viewer';
revoke all on function certus.caller_accounts from public;
grant execute on function certus.caller_accounts to authenticated, service_role;

-- The helpers of the policies. They take nothing from a row, so "location_id in (select …())" asks once a statement.
create function certus.readable_accounts() returns setof uuid
language plpgsql stable rows 5
set search_path = ''
as $$
begin
  return query select c.account_id from certus.caller_accounts() c;
end;
$$;
comment on function certus.readable_accounts is 'Accounts in which the caller has any role';
revoke all on function certus.readable_accounts from public;
grant execute on function certus.readable_accounts to authenticated, service_role;

create function certus.admin_accounts() returns setof uuid
language plpgsql stable rows 5
set search_path = ''
as $$
begin
  return query select c.account_id from certus.caller_accounts() c where c.role = 'admin';
end;
$$;
comment on function certus.admin_accounts is
  'Accounts in which the caller is an admin: may set up, import, and see whole phone numbers';
revoke all on function certus.admin_accounts from public;
grant execute on function certus.admin_accounts to authenticated, service_role;

-- A definer: the policies of the locations are made of it. Asks once for the roles, and only for what they give.
create function certus.readable_locations() returns setof uuid
language plpgsql stable security definer rows 20
set search_path = ''
as $$
declare
  v_whole uuid[];
  v_part uuid[];
begin
  select
    array_agg(c.account_id) filter (where c.role <> 'operator'),
    array_agg(c.account_id) filter (where c.role = 'operator')
  into v_whole, v_part
  from certus.caller_accounts() c;
  if v_whole is not null then
    return query select l.id from certus.locations l where l.account_id = any (v_whole);
  end if;
  if v_part is not null then
    return query
    select ml.location_id from certus.member_locations ml
    where ml.user_id = auth.uid() and ml.account_id = any (v_part);
  end if;
end;
$$;
comment on function certus.readable_locations is
  'Locations that the caller may read: all of the account for admins and viewers, the given ones for operators';
revoke all on function certus.readable_locations from public;
grant execute on function certus.readable_locations to authenticated, service_role;

-- A definer, as above.
create function certus.operable_locations() returns setof uuid
language plpgsql stable security definer rows 20
set search_path = ''
as $$
begin
  return query
  select r.location_id
  from certus.readable_locations() r (location_id)
  join certus.locations l on l.id = r.location_id
  join certus.caller_accounts() c on c.account_id = l.account_id and c.role <> 'viewer';
end;
$$;
comment on function certus.operable_locations is 'Locations that the caller may work in: those readable, but not as a viewer';
revoke all on function certus.operable_locations from public;
grant execute on function certus.operable_locations to authenticated, service_role;

alter table certus.accounts enable row level security;
alter table certus.locations enable row level security;
alter table certus.account_members enable row level security;
alter table certus.member_locations enable row level security;

-- Admins read by the organization too: the helper's snapshot is older than the row that their "insert … returning" shows.
create policy accounts_are_read_by_their_people on certus.accounts
  for select to authenticated
  using (org_id in (select public.admin_orgs()) or id in (select certus.readable_accounts()));
comment on policy accounts_are_read_by_their_people on certus.accounts is
  'Owners, admins and viewers of the organization, and whoever has a role in the account';
create policy accounts_are_made_by_org_admins on certus.accounts
  for insert to authenticated with check (org_id in (select public.admin_orgs()));
comment on policy accounts_are_made_by_org_admins on certus.accounts is 'Owners and admins of the organization';
create policy accounts_are_changed_by_admins on certus.accounts
  for update to authenticated
  using (id in (select certus.admin_accounts())) with check (id in (select certus.admin_accounts()));
comment on policy accounts_are_changed_by_admins on certus.accounts is 'Admins; name and currency are the columns granted';
create policy accounts_are_deleted_by_org_admins on certus.accounts
  for delete to authenticated using (org_id in (select public.admin_orgs()));
comment on policy accounts_are_deleted_by_org_admins on certus.accounts is 'Owners and admins of the organization';

create policy locations_are_read_by_their_people on certus.locations
  for select to authenticated
  using (account_id in (select certus.admin_accounts()) or id in (select certus.readable_locations()));
comment on policy locations_are_read_by_their_people on certus.locations is
  'Admins and viewers all of the account, operators those given to them';
create policy locations_are_made_by_admins on certus.locations
  for insert to authenticated with check (account_id in (select certus.admin_accounts()));
comment on policy locations_are_made_by_admins on certus.locations is 'Admins of the account';
create policy locations_are_changed_by_admins on certus.locations
  for update to authenticated
  using (account_id in (select certus.admin_accounts())) with check (account_id in (select certus.admin_accounts()));
comment on policy locations_are_changed_by_admins on certus.locations is 'Admins of the account; the account is not granted';
create policy locations_are_deleted_by_admins on certus.locations
  for delete to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy locations_are_deleted_by_admins on certus.locations is 'Admins of the account';

create policy account_members_are_read_by_the_account on certus.account_members
  for select to authenticated using (account_id in (select certus.readable_accounts()));
comment on policy account_members_are_read_by_the_account on certus.account_members is 'Everybody who has a role in the account';
create policy account_members_are_added_by_admins on certus.account_members
  for insert to authenticated with check (account_id in (select certus.admin_accounts()));
comment on policy account_members_are_added_by_admins on certus.account_members is 'Admins of the account';
create policy account_members_are_changed_by_admins on certus.account_members
  for update to authenticated
  using (user_id <> (select auth.uid()) and account_id in (select certus.admin_accounts()))
  with check (user_id <> (select auth.uid()) and account_id in (select certus.admin_accounts()));
comment on policy account_members_are_changed_by_admins on certus.account_members is
  'Admins of the account, but nobody a role of his own';
create policy account_members_are_removed_by_admins on certus.account_members
  for delete to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy account_members_are_removed_by_admins on certus.account_members is 'Admins of the account';

create policy member_locations_are_read_by_the_account on certus.member_locations
  for select to authenticated using (account_id in (select certus.readable_accounts()));
comment on policy member_locations_are_read_by_the_account on certus.member_locations is
  'Everybody who has a role in the account';
create policy member_locations_are_given_by_admins on certus.member_locations
  for insert to authenticated with check (account_id in (select certus.admin_accounts()));
comment on policy member_locations_are_given_by_admins on certus.member_locations is 'Admins of the account';
create policy member_locations_are_taken_by_admins on certus.member_locations
  for delete to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy member_locations_are_taken_by_admins on certus.member_locations is 'Admins of the account';

grant select, insert (id, org_id, name, currency), update (name, currency), delete on certus.accounts to authenticated;
grant
  select,
  insert (id, account_id, code, name, time_zone, avg_spend_per_head),
  update (code, name, time_zone, avg_spend_per_head),
  delete
on certus.locations to authenticated;
grant select, insert (account_id, user_id, role), update (role), delete on certus.account_members to authenticated;
grant select, insert (account_id, user_id, location_id), delete on certus.member_locations to authenticated;
grant select, insert, update, delete
on certus.accounts, certus.locations, certus.account_members, certus.member_locations to service_role;
