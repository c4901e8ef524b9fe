-- Orders as the assistant took them, with what became of them and what was offered beside them. Providers leave amounts
-- out that follow from the others; the missing ones are filled in here, once, for lists, reports and metrics alike.
create table certus_private.order_logs (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null,
  location_id uuid not null,
  call_id uuid,
  external_id text not null,
  customer_name text,
  customer_phone text,
  provider_status text,
  provider_fulfillment_type text,
  reported_subtotal numeric(12, 2),
  reported_tax numeric(12, 2),
  reported_service_charge numeric(12, 2),
  reported_delivery numeric(12, 2),
  reported_total numeric(12, 2),
  created_at timestamptz not null default now(),
  status text not null generated always as (
    case
      when lower(btrim(provider_status)) in ('pending', 'new', 'placed', 'received', 'open', 'draft') then 'pending'
      when lower(btrim(provider_status)) in ('confirmed', 'accepted', 'sent', 'submitted') then 'confirmed'
      when lower(btrim(provider_status)) in ('preparing', 'in_progress', 'in progress', 'cooking', 'ready', 'out_for_delivery', 'out for delivery') then 'preparing'
      when lower(btrim(provider_status)) in ('completed', 'complete', 'delivered', 'picked_up', 'picked up', 'collected', 'closed', 'paid', 'done') then 'completed'
      when lower(btrim(provider_status)) in ('cancelled', 'canceled', 'voided', 'void', 'refunded') then 'cancelled'
      when lower(btrim(provider_status)) in ('failed', 'error', 'rejected', 'declined') then 'failed'
      else 'unknown'
    end
  ) stored,
  fulfillment_type text not null generated always as (
    case
      when lower(btrim(provider_fulfillment_type)) in ('pickup', 'pick-up', 'pick up', 'collection', 'takeaway', 'takeout', 'carryout') then 'pickup'
      when lower(btrim(provider_fulfillment_type)) in ('delivery', 'deliver', 'delivered') then 'delivery'
      when lower(btrim(provider_fulfillment_type)) in ('dine_in', 'dine-in', 'dine in', 'eat_in', 'eat in', 'table') then 'dine_in'
      else 'other'
    end
  ) stored,
  subtotal_amount numeric(14, 2) not null generated always as (
    coalesce(
      reported_subtotal,
      greatest(0, reported_total - coalesce(reported_tax, 0) - coalesce(reported_service_charge, 0) - coalesce(reported_delivery, 0)),
      0)
  ) stored,
  tax_amount numeric(12, 2) not null generated always as (coalesce(reported_tax, 0)) stored,
  service_charge_amount numeric(12, 2) not null generated always as (coalesce(reported_service_charge, 0)) stored,
  delivery_amount numeric(12, 2) not null generated always as (coalesce(reported_delivery, 0)) stored,
  total_amount numeric(14, 2) not null generated always as (
    coalesce(
      reported_total,
      coalesce(reported_subtotal, 0) + coalesce(reported_tax, 0) + coalesce(reported_service_charge, 0) + coalesce(reported_delivery, 0))
  ) stored,
  constraint order_is_unique_in_the_account unique (account_id, external_id),
  constraint orders_are_known_with_their_location unique (id, location_id),
  constraint orders_are_of_a_location_of_the_account
    foreign key (location_id, account_id) references certus.locations (id, account_id),
  constraint orders_are_of_a_call_of_the_location
    foreign key (call_id, location_id) references certus_private.call_logs (id, location_id),
  constraint order_id_is_not_blank check (btrim(external_id) <> ''),
  constraint order_id_has_at_most_200_characters check (char_length(external_id) <= 200),
  constraint customer_phone_is_a_phone_number check (customer_phone ~ '^\+?[0-9][0-9 ()./-]{2,24}$'),
  -- NaN is more than every number, and infinity is none.
  constraint subtotal_is_not_negative check (reported_subtotal >= 0 and reported_subtotal < 'Infinity'),
  constraint tax_is_not_negative check (reported_tax >= 0 and reported_tax < 'Infinity'),
  constraint service_charge_is_not_negative check (reported_service_charge >= 0 and reported_service_charge < 'Infinity'),
  constraint delivery_is_not_negative check (reported_delivery >= 0 and reported_delivery < 'Infinity'),
  constraint total_is_not_negative check (reported_total >= 0 and reported_total < 'Infinity')
);
comment on table certus_private.order_logs is 'One row an order, as the provider tells it; read through certus.orders_v';
comment on column certus_private.order_logs.external_id is 'The provider''s id of the order, unique in the account: the key of imports';
comment on column certus_private.order_logs.call_id is 'The call in which it was ordered, of the same location';
comment on column certus_private.order_logs.status is
  'Normalized: pending, confirmed, preparing, completed, cancelled, failed, unknown';
comment on column certus_private.order_logs.fulfillment_type is 'Normalized: pickup, delivery, dine_in, other';
comment on column certus_private.order_logs.subtotal_amount is 'As reported, else the total less what is added to it, else 0';
comment on column certus_private.order_logs.total_amount is 'As reported, else the sum of the parts';
comment on column certus_private.order_logs.created_at is 'When it was ordered';
comment on constraint customer_phone_is_a_phone_number on certus_private.order_logs is
  'digits, spaces and ( ) . / - with an optional + before them';
-- As those of the calls.
create index orders_of_an_account on certus_private.order_logs (account_id, created_at desc, id desc, location_id);
create index orders_of_a_location on certus_private.order_logs (location_id, created_at desc, id desc);
create index orders_of_a_call on certus_private.order_logs (call_id);

create table certus_private.order_updates (
  id uuid primary key default gen_random_uuid(),
  order_id uuid not null,
  location_id uuid not null,
  status text not null,
  note text,
  created_at timestamptz not null default now(),
  constraint order_updates_are_of_an_order
    foreign key (order_id, location_id) references certus_private.order_logs (id, location_id) on delete cascade,
  constraint order_update_status_is_not_blank check (btrim(status) <> '')
);
comment on table certus_private.order_updates is 'What became of an order, in the order of time; read through certus.get_call_detail()';
comment on column certus_private.order_updates.status is 'In the provider''s words';
create index updates_of_an_order on certus_private.order_updates (order_id, created_at);
create index order_updates_of_a_location on certus_private.order_updates (location_id);

create table certus_private.upsells (
  id uuid primary key default gen_random_uuid(),
  order_id uuid not null,
  location_id uuid not null,
  item text not null,
  quantity integer not null default 1,
  amount numeric(12, 2) not null default 0,
  accepted boolean not null default false,
  created_at timestamptz not null default now(),
  constraint upsells_are_of_an_order
    foreign key (order_id, location_id) references certus_private.order_logs (id, location_id) on delete cascade,
  constraint upsell_item_is_not_blank check (btrim(item) <> ''),
  constraint upsell_quantity_is_positive check (quantity > 0),
  constraint upsell_amount_is_not_negative check (amount >= 0 and amount < 'Infinity')
);
comment on table certus_private.upsells is 'What the assistant offered beside an order; read through certus.get_call_detail()';
comment on column certus_private.upsells.amount is 'What it adds to the order if accepted, in the account''s currency';
create index upsells_of_an_order on certus_private.upsells (order_id, created_at);
create index upsells_of_a_location on certus_private.upsells (location_id);

alter table certus_private.order_logs enable row level security;
alter table certus_private.order_updates enable row level security;
alter table certus_private.upsells enable row level security;

create policy orders_are_viewed_by_location on certus_private.order_logs
  for select to certus_reader using (location_id = any (array(select certus.readable_locations())));
comment on policy orders_are_viewed_by_location on certus_private.order_logs is 'Through the views: whoever reads the location';
create policy orders_are_read_by_admins on certus_private.order_logs
  for select to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy orders_are_read_by_admins on certus_private.order_logs is
  'In an import''s own session: admins, who may see whole phone numbers';
create policy orders_are_imported_by_admins on certus_private.order_logs
  for insert to authenticated with check (account_id in (select certus.admin_accounts()));
comment on policy orders_are_imported_by_admins on certus_private.order_logs is 'Admins of the account';
create policy orders_are_corrected_by_admins on certus_private.order_logs
  for update to authenticated
  using (account_id in (select certus.admin_accounts())) with check (account_id in (select certus.admin_accounts()));
comment on policy orders_are_corrected_by_admins on certus_private.order_logs is
  'Admins of the account, by an import that updates';

create policy order_updates_are_viewed_by_location on certus_private.order_updates
  for select to certus_reader using (location_id = any (array(select certus.readable_locations())));
comment on policy order_updates_are_viewed_by_location on certus_private.order_updates is
  'Through get_call_detail(): whoever reads the location';
create policy upsells_are_viewed_by_location on certus_private.upsells
  for select to certus_reader using (location_id = any (array(select certus.readable_locations())));
comment on policy upsells_are_viewed_by_location on certus_private.upsells is
  'Through get_call_detail(): whoever reads the location';

grant select on certus_private.order_logs, certus_private.order_updates, certus_private.upsells to certus_reader;
grant
  select,
  insert (id, account_id, location_id, call_id, external_id, customer_name, customer_phone, provider_status,
    provider_fulfillment_type, reported_subtotal, reported_tax, reported_service_charge, reported_delivery,
    reported_total, created_at),
  update (location_id, call_id, customer_name, customer_phone, provider_status, provider_fulfillment_type,
    reported_subtotal, reported_tax, reported_service_charge, reported_delivery, reported_total, created_at)
on certus_private.order_logs to authenticated;
grant select, insert, update, delete
on certus_private.order_logs, certus_private.order_updates, certus_private.upsells to service_role;
