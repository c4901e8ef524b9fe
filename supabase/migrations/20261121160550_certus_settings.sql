-- How the assistant answers is set for an account and, where a location is different, for that location. One table holds
-- both, since a reader wants them together; the assistant takes the location's value before the account's.
create table certus.settings (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references certus.accounts (id) on delete cascade,
  location_id uuid,
  business_hours jsonb,
  busy_mode boolean not null default false,
  busy_extra_wait_seconds integer,
  voice jsonb,
  updated_at timestamptz not null default now(),
  constraint settings_are_one_row_a_place unique nulls not distinct (account_id, location_id),
  constraint settings_are_of_a_location_of_the_account
    foreign key (location_id, account_id) references certus.locations (id, account_id) on delete cascade,
  constraint business_hours_are_an_object check (jsonb_typeof(business_hours) = 'object'),
  constraint voice_is_an_object check (jsonb_typeof(voice) = 'object'),
  constraint busy_extra_wait_is_0_to_7200_seconds check (busy_extra_wait_seconds between 0 and 7200)
);
comment on table certus.settings is 'How the assistant answers: one row for the account (location_id null) and one for each location that differs';
comment on column certus.settings.business_hours is 'By day of the week, such as {"mon": [["11:30", "22:00"]]}; null for the account''s';
comment on column certus.settings.busy_mode is 'The kitchen is busy: callers are told of a longer wait';
comment on column certus.settings.busy_extra_wait_seconds is
  'What busy mode adds to the wait that callers are told; null for the account''s, in the account''s own row for none';
comment on column certus.settings.voice is 'Voice configuration: language, voice, greeting; null for the account''s';
create index settings_of_a_location on certus.settings (location_id, account_id);

-- Stamps a row that is changed; new rows have the default. Moves nothing else, locks nothing.
create function certus.touch() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
comment on function certus.touch is 'Trigger: updated_at is the time of the last change';
revoke all on function certus.touch from public;

create trigger settings_touch before update on certus.settings
  for each row execute function certus.touch();

-- Turns busy mode of a location on or off. Locks the location's row of settings, which it makes if there is none. For
-- whoever works in the location: a definer, since operators may change nothing else of the settings.
create function certus.set_busy_mode(p_location_id uuid, p_busy boolean, p_extra_wait_seconds integer default null)
returns certus.settings
language plpgsql security definer
set search_path = ''
as $$
declare
  v_settings certus.settings;
begin
  if p_location_id is null or not p_location_id in (select certus.operable_locations()) then
    perform longshore_private.raise_error(403, 'not_allowed',
      'Cannot set the busy mode of this location: expected one that you work in');
  end if;
  if p_busy is null or p_extra_wait_seconds not between 0 and 7200 then
    perform longshore_private.raise_error(400, 'invalid_request',
      format('Cannot set the busy mode: found %s and %s seconds, expected true or false and 0 to 7200 seconds',
        coalesce(p_busy::text, 'null'), coalesce(p_extra_wait_seconds::text, 'no')),
      jsonb_build_object('path', case when p_busy is null then 'p_busy' else 'p_extra_wait_seconds' end));
  end if;
  insert into certus.settings as s (account_id, location_id, busy_mode, busy_extra_wait_seconds)
  select l.account_id, l.id, p_busy, p_extra_wait_seconds from certus.locations l where l.id = p_location_id
  on conflict (account_id, location_id) do update
  set busy_mode = excluded.busy_mode,
    busy_extra_wait_seconds = coalesce(p_extra_wait_seconds, s.busy_extra_wait_seconds)
  returning * into v_settings;
  return v_settings;
end;
$$;
comment on function certus.set_busy_mode is
  'Turns a location''s busy mode on or off, for whoever works there; without seconds the extra wait stays as it was, the account''s where the location has none of its own';
revoke all on function certus.set_busy_mode from public;
grant execute on function certus.set_busy_mode to authenticated;

alter table certus.settings enable row level security;

create policy settings_are_read_by_their_people on certus.settings
  for select to authenticated
  using (
    location_id in (select certus.readable_locations())
    or (location_id is null and account_id in (select certus.readable_accounts()))
  );
comment on policy settings_are_read_by_their_people on certus.settings is
  'The account''s row: everybody who has a role in it; a location''s: whoever reads the location';
create policy settings_are_made_by_admins on certus.settings
  for insert to authenticated with check (account_id in (select certus.admin_accounts()));
comment on policy settings_are_made_by_admins on certus.settings is 'Admins of the account';
create policy settings_are_changed_by_admins on certus.settings
  for update to authenticated
  using (account_id in (select certus.admin_accounts())) with check (account_id in (select certus.admin_accounts()));
comment on policy settings_are_changed_by_admins on certus.settings is
  'Admins of the account; operators turn busy mode on and off by set_busy_mode()';
create policy settings_are_deleted_by_admins on certus.settings
  for delete to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy settings_are_deleted_by_admins on certus.settings is 'Admins of the account';

grant
  select,
  insert (account_id, location_id, business_hours, busy_mode, busy_extra_wait_seconds, voice),
  update (business_hours, busy_mode, busy_extra_wait_seconds, voice),
  delete
on certus.settings to authenticated;
grant select, insert, update, delete on certus.settings to service_role;
