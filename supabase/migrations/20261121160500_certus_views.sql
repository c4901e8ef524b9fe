-- The views are what apps, reports and RPC read: stable columns, whatever the providers' words become. They show phone
-- numbers whole to admins only. They are barriers, so that no function in a query sees a row before its policy did. The
-- planner plans what is behind a barrier by itself, and an "order by" around it makes it forget the "limit": the newest 50
-- of a million calls would be found by sorting all of them. Each view therefore has the order that lists want, and a list
-- that asks for none comes by the index.

-- A phone number with its country code and its last four digits, and nothing of the rest, not even its length; a number
-- too short to hide the rest shows nothing. Moves nothing, locks nothing; anyone may call it.
create function certus.mask_phone(p_phone text) returns text
language sql immutable parallel safe
set search_path = ''
as $$
  select case
    when p_phone is null then null
    -- At least three digits stay hidden between the country and the last four.
    when length(n.digits) < greatest(8, length(n.country) + 6) then '••• •••'
    else coalesce(n.country || ' ', '') || '••• ••• ' || right(n.digits, 4)
  end
  from (
    select
      regexp_replace(p_phone, '\D', '', 'g') as digits,
      coalesce(
        substring(p_phone from '^\+(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])'),
        substring(p_phone from '^\+\d{3}')
      ) as country
  ) n;
$$;
comment on function certus.mask_phone is 'Country code and last four digits, such as "+44 ••• ••• 1234"';
revoke all on function certus.mask_phone from public;
grant execute on function certus.mask_phone to authenticated, service_role, certus_reader;

create view certus.calls_v with (security_barrier = true) as
select
  c.id,
  c.account_id,
  c.location_id,
  c.external_id,
  c.started_at,
  coalesce(c.ended_at, c.started_at + make_interval(secs => c.duration_seconds)) as ended_at,
  c.status,
  c.call_type,
  c.duration_seconds,
  c.caller_name,
  case
    when c.account_id in (select certus.admin_accounts()) then c.caller_phone
    else certus.mask_phone(c.caller_phone)
  end as caller_phone,
  c.summary_md,
  c.transcript_md,
  c.recording_url
from certus_private.call_logs c
order by c.started_at desc, c.id desc;
comment on view certus.calls_v is 'Calls of the locations that the caller reads, the newest first: ask for no order but a limit';
comment on column certus.calls_v.external_id is 'The provider''s id of the call';
comment on column certus.calls_v.ended_at is 'Null while the call goes on';
comment on column certus.calls_v.status is 'in_progress, completed, transferred, voicemail, missed, failed, unknown';
comment on column certus.calls_v.call_type is 'order, reservation, catering, general, other';
comment on column certus.calls_v.caller_phone is 'Whole for admins of the account, else masked';

create view certus.orders_v with (security_barrier = true) as
select
  o.id,
  o.account_id,
  o.location_id,
  o.call_id,
  o.external_id,
  o.created_at,
  o.status,
  o.fulfillment_type,
  o.customer_name,
  case
    when o.account_id in (select certus.admin_accounts()) then o.customer_phone
    else certus.mask_phone(o.customer_phone)
  end as customer_phone,
  o.subtotal_amount,
  o.tax_amount,
  o.service_charge_amount,
  o.delivery_amount,
  o.total_amount
from certus_private.order_logs o
order by o.created_at desc, o.id desc;
comment on view certus.orders_v is 'Orders of the locations that the caller reads, the newest first: ask for no order but a limit';
comment on column certus.orders_v.external_id is 'The provider''s id of the order';
comment on column certus.orders_v.call_id is 'The call in which it was ordered';
comment on column certus.orders_v.created_at is 'When it was ordered';
comment on column certus.orders_v.status is 'pending, confirmed, preparing, completed, cancelled, failed, unknown';
comment on column certus.orders_v.fulfillment_type is 'pickup, delivery, dine_in, other';
comment on column certus.orders_v.customer_phone is 'Whole for admins of the account, else masked';
comment on column certus.orders_v.subtotal_amount is 'In the account''s currency, as all amounts; never null';

create view certus.order_updates_v with (security_barrier = true) as
select u.id, u.order_id, u.location_id, u.created_at, u.status, u.note
from certus_private.order_updates u;
comment on view certus.order_updates_v is 'What became of orders, in the provider''s words';

create view certus.upsells_v with (security_barrier = true) as
select u.id, u.order_id, u.location_id, u.created_at, u.item, u.quantity, u.amount, u.accepted
from certus_private.upsells u;
comment on view certus.upsells_v is 'What the assistant offered beside orders';

create view certus.reservations_v with (security_barrier = true) as
select
  r.id,
  r.account_id,
  r.location_id,
  r.call_id,
  r.external_id,
  r.created_at,
  r.reservation_at,
  r.status,
  r.guest_count,
  r.customer_name,
  case
    when r.account_id in (select certus.admin_accounts()) then r.customer_phone
    else certus.mask_phone(r.customer_phone)
  end as customer_phone,
  r.avg_spend_per_head_override,
  case
    when r.status in ('cancelled', 'no_show') then 0
    else r.guest_count * coalesce(
      r.avg_spend_per_head_override,
      (select l.avg_spend_per_head from certus.locations l where l.id = r.location_id), 0)
  end::numeric(14, 2) as estimated_revenue,
  r.notes
from certus_private.reservations r
order by r.reservation_at desc, r.id desc;
comment on view certus.reservations_v is 'Reservations of the locations that the caller reads, the latest first: ask for no order but a limit';
comment on column certus.reservations_v.external_id is 'The provider''s id of the reservation';
comment on column certus.reservations_v.call_id is 'The call in which it was made';
comment on column certus.reservations_v.created_at is 'When it was made';
comment on column certus.reservations_v.reservation_at is 'When the guests come';
comment on column certus.reservations_v.status is 'pending, confirmed, completed, cancelled, no_show, unknown';
comment on column certus.reservations_v.customer_phone is 'Whole for admins of the account, else masked';
comment on column certus.reservations_v.estimated_revenue is
  'Guests times what each is expected to spend; 0 where nobody comes';

-- The views look expected spendings up in the locations, of which their owner sees what the person does.
grant select (id, avg_spend_per_head) on certus.locations to certus_reader;
create policy locations_are_viewed_by_their_people on certus.locations
  for select to certus_reader using (id in (select certus.readable_locations()));
comment on policy locations_are_viewed_by_their_people on certus.locations is 'Through the views: whoever reads the location';

-- Who is to own a view must be allowed to make one.
grant create on schema certus to certus_reader;
alter view certus.calls_v owner to certus_reader;
alter view certus.orders_v owner to certus_reader;
alter view certus.order_updates_v owner to certus_reader;
alter view certus.upsells_v owner to certus_reader;
alter view certus.reservations_v owner to certus_reader;
revoke create on schema certus from certus_reader;
grant select on certus.calls_v, certus.orders_v, certus.order_updates_v, certus.upsells_v, certus.reservations_v
  to authenticated;
