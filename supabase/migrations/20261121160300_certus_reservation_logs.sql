-- Reservations bring revenue that nobody has counted yet: it is estimated, from the guests and from what a guest is
-- expected to spend, unless the reservation itself says how much.
create table certus_private.reservations (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null,
  location_id uuid not null,
  call_id uuid,
  external_id text not null,
  customer_name text,
  customer_phone text,
  provider_status text,
  reservation_at timestamptz not null,
  guest_count integer not null,
  avg_spend_per_head_override numeric(10, 2),
  notes text,
  created_at timestamptz not null default now(),
  status text not null generated always as (
    case
      when lower(btrim(provider_status)) in ('cancelled', 'canceled', 'declined', 'rejected') then 'cancelled'
      when lower(btrim(provider_status)) in ('no_show', 'no-show', 'no show', 'noshow') then 'no_show'
      when lower(btrim(provider_status)) in ('completed', 'complete', 'seated', 'arrived', 'finished', 'left') then 'completed'
      when lower(btrim(provider_status)) in ('pending', 'requested', 'waitlist', 'waitlisted') then 'pending'
      when provider_status is null
        or lower(btrim(provider_status)) in ('confirmed', 'booked', 'accepted', 'reserved', 'new') then 'confirmed'
      else 'unknown'
    end
  ) stored,
  constraint reservation_is_unique_in_the_account unique (account_id, external_id),
  constraint reservations_are_of_a_location_of_the_account
    foreign key (location_id, account_id) references certus.locations (id, account_id),
  constraint reservations_are_of_a_call_of_the_location
    foreign key (call_id, location_id) references certus_private.call_logs (id, location_id),
  constraint reservation_id_is_not_blank check (btrim(external_id) <> ''),
  constraint reservation_id_has_at_most_200_characters check (char_length(external_id) <= 200),
  constraint customer_phone_is_a_phone_number check (customer_phone ~ '^\+?[0-9][0-9 ()./-]{2,24}$'),
  constraint guest_count_is_1_to_1000 check (guest_count between 1 and 1000),
  -- NaN is more than every number, and infinity is none.
  constraint avg_spend_per_head_override_is_not_negative check (avg_spend_per_head_override >= 0 and avg_spend_per_head_override < 'Infinity')
);
comment on table certus_private.reservations is 'One row a reservation, as the provider tells it; read through certus.reservations_v';
comment on column certus_private.reservations.external_id is
  'The provider''s id of the reservation, unique in the account: the key of imports';
comment on column certus_private.reservations.call_id is 'The call in which it was made, of the same location';
comment on column certus_private.reservations.avg_spend_per_head_override is
  'What a guest of this reservation is expected to spend; null for the location''s figure';
comment on column certus_private.reservations.status is
  'Normalized: pending, confirmed, completed, cancelled, no_show, unknown';
comment on column certus_private.reservations.created_at is 'When it was made';
comment on constraint customer_phone_is_a_phone_number on certus_private.reservations is
  'digits, spaces and ( ) . / - with an optional + before them';
-- As those of the calls.
create index reservations_of_an_account on certus_private.reservations (account_id, reservation_at desc, id desc, location_id);
create index reservations_of_a_location on certus_private.reservations (location_id, reservation_at desc, id desc);
create index reservations_of_a_call on certus_private.reservations (call_id);

alter table certus_private.reservations enable row level security;

create policy reservations_are_viewed_by_location on certus_private.reservations
  for select to certus_reader using (location_id = any (array(select certus.readable_locations())));
comment on policy reservations_are_viewed_by_location on certus_private.reservations is
  'Through the views: whoever reads the location';
create policy reservations_are_read_by_admins on certus_private.reservations
  for select to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy reservations_are_read_by_admins on certus_private.reservations is
  'In an import''s own session: admins, who may see whole phone numbers';
create policy reservations_are_imported_by_admins on certus_private.reservations
  for insert to authenticated with check (account_id in (select certus.admin_accounts()));
comment on policy reservations_are_imported_by_admins on certus_private.reservations is 'Admins of the account';
create policy reservations_are_corrected_by_admins on certus_private.reservations
  for update to authenticated
  using (account_id in (select certus.admin_accounts())) with check (account_id in (select certus.admin_accounts()));
comment on policy reservations_are_corrected_by_admins on certus_private.reservations is
  'Admins of the account, by an import that updates';

grant select on certus_private.reservations to certus_reader;
grant
  select,
  insert (id, account_id, location_id, call_id, external_id, customer_name, customer_phone, provider_status,
    reservation_at, guest_count, avg_spend_per_head_override, notes, created_at),
  update (location_id, call_id, customer_name, customer_phone, provider_status, reservation_at, guest_count,
    avg_spend_per_head_override, notes, created_at)
on certus_private.reservations to authenticated;
grant select, insert, update, delete on certus_private.reservations to service_role;
