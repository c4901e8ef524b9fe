-- What the staff tell each other about a call, an order or a guest. A mention must reach somebody who can read the note,
-- or it would tell of a location what the person may not know, or nobody at all.
create table certus.internal_notes (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null,
  location_id uuid not null,
  call_id uuid,
  author_id uuid default auth.uid() references auth.users (id) on delete set null,
  body text not null,
  mentions uuid[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint notes_are_of_a_location_of_the_account
    foreign key (location_id, account_id) references certus.locations (id, account_id) on delete cascade,
  constraint notes_are_of_a_call_of_the_location
    foreign key (call_id, location_id) references certus_private.call_logs (id, location_id) on delete cascade,
  constraint note_is_not_blank check (btrim(body) <> ''),
  constraint note_has_at_most_10000_characters check (char_length(body) <= 10000),
  constraint note_mentions_at_most_50_people check (cardinality(mentions) <= 50)
);
comment on table certus.internal_notes is 'Notes of the staff on a location, mostly on one of its calls';
comment on column certus.internal_notes.author_id is 'Who wrote it; null once the account is deleted';
comment on column certus.internal_notes.mentions is 'People who should see it; each of them reads the location';
create index notes_of_a_location on certus.internal_notes (location_id, created_at desc);
create index notes_of_a_call on certus.internal_notes (call_id);
create index notes_of_an_author on certus.internal_notes (author_id);
create index notes_by_mention on certus.internal_notes using gin (mentions);

-- Who of some people reads a location: the rule of readable_locations(), for others than the caller. Moves nothing, locks
-- nothing; for the trigger below. A definer: it reads memberships.
create function certus_private.readers_of(p_location_id uuid, p_people uuid[]) returns setof uuid
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  return query
  select m.user_id
  from certus.locations l
  join certus.accounts a on a.id = l.account_id
  join public.memberships m on m.org_id = a.org_id and m.user_id = any (p_people)
  left join certus.account_members am on am.account_id = a.id and am.user_id = m.user_id
  left join certus.member_locations ml on ml.location_id = l.id and ml.user_id = m.user_id
  where l.id = p_location_id
    and (m.role <> 'member' or am.role = 'admin' or (am.role = 'operator' and ml.location_id is not null));
end;
$$;
comment on function certus_private.readers_of is 'Which of the people read the location';
revoke all on function certus_private.readers_of from public;

-- Refuses mentions of people who do not read the note's location; those who are gone from it stay in old notes. Moves and
-- locks nothing. A definer: it calls readers_of().
create function certus.check_mentions() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if exists (
    select from unnest(new.mentions) m (person)
    where m.person is null or m.person not in (select certus_private.readers_of(new.location_id, new.mentions))
  ) then
    raise exception 'Cannot mention this person: expected people who read the note''s location'
      using errcode = 'check_violation', schema = 'certus', table = 'internal_notes',
        constraint = 'mentioned_people_read_the_location';
  end if;
  return new;
end;
$$;
comment on function certus.check_mentions is 'Trigger: mentioned people read the note''s location';
revoke all on function certus.check_mentions from public;

create trigger internal_notes_check_mentions before insert on certus.internal_notes
  for each row when (new.mentions <> '{}') execute function certus.check_mentions();
create trigger internal_notes_check_new_mentions before update of mentions on certus.internal_notes
  for each row when (new.mentions <> '{}' and not new.mentions <@ old.mentions) execute function certus.check_mentions();
create trigger internal_notes_touch before update on certus.internal_notes
  for each row execute function certus.touch();

alter table certus.internal_notes enable row level security;

create policy notes_are_read_by_location on certus.internal_notes
  for select to authenticated using (location_id = any (array(select certus.readable_locations())));
comment on policy notes_are_read_by_location on certus.internal_notes is 'Whoever reads the location';
create policy notes_are_written_by_the_staff on certus.internal_notes
  for insert to authenticated
  with check (author_id = (select auth.uid()) and location_id in (select certus.operable_locations()));
comment on policy notes_are_written_by_the_staff on certus.internal_notes is
  'Admins and the location''s operators, in their own name';
create policy notes_are_changed_by_their_authors on certus.internal_notes
  for update to authenticated
  using (author_id = (select auth.uid()) and location_id in (select certus.operable_locations()))
  with check (author_id = (select auth.uid()) and location_id in (select certus.operable_locations()));
comment on policy notes_are_changed_by_their_authors on certus.internal_notes is 'Their authors, as long as they work there';
create policy notes_are_deleted_by_authors_and_admins on certus.internal_notes
  for delete to authenticated
  using (
    account_id in (select certus.admin_accounts())
    or (author_id = (select auth.uid()) and location_id in (select certus.operable_locations()))
  );
comment on policy notes_are_deleted_by_authors_and_admins on certus.internal_notes is 'Their authors and the account''s admins';

grant select, insert (account_id, location_id, call_id, body, mentions), update (body, mentions), delete
on certus.internal_notes to authenticated;
grant select, insert, update, delete on certus.internal_notes to service_role;
