-- The tiles of a dashboard add up months of calls. They are counted once and kept by local day, which is the day that the
-- people of a restaurant mean. A materialized view has no row security, so it is granted to nobody but the role that owns
-- the view in front of it.
create materialized view certus.mv_metrics_daily as
with calls as (
  select c.location_id, (c.started_at at time zone l.time_zone)::date as local_date,
    count(*) as total_calls,
    count(*) filter (where c.call_type = 'order') as order_calls,
    count(*) filter (where c.call_type = 'reservation') as reservation_calls,
    count(*) filter (where c.call_type = 'catering') as catering_calls,
    count(*) filter (where c.call_type = 'general') as general_calls,
    count(*) filter (where c.call_type = 'other') as other_calls,
    sum(c.duration_seconds) filter (where c.status <> 'transferred') as saved_seconds
  from certus_private.call_logs c
  join certus.locations l on l.id = c.location_id
  group by 1, 2
), orders as (
  select o.location_id, (o.created_at at time zone l.time_zone)::date as local_date,
    count(*) as orders_count, sum(o.total_amount) as total_revenue_orders
  from certus_private.order_logs o
  join certus.locations l on l.id = o.location_id
  where o.status not in ('cancelled', 'failed')
  group by 1, 2
), reservations as (
  select r.location_id, (r.created_at at time zone l.time_zone)::date as local_date,
    count(*) as reservations_count,
    sum(r.guest_count * coalesce(r.avg_spend_per_head_override, l.avg_spend_per_head)) as total_revenue_res_estimate
  from certus_private.reservations r
  join certus.locations l on l.id = r.location_id
  where r.status not in ('cancelled', 'no_show')
  group by 1, 2
)
select
  l.account_id,
  location_id,
  local_date,
  coalesce(c.total_calls, 0)::integer as total_calls,
  coalesce(c.order_calls, 0)::integer as order_calls,
  coalesce(c.reservation_calls, 0)::integer as reservation_calls,
  coalesce(c.catering_calls, 0)::integer as catering_calls,
  coalesce(c.general_calls, 0)::integer as general_calls,
  coalesce(c.other_calls, 0)::integer as other_calls,
  coalesce(o.orders_count, 0)::integer as orders_count,
  coalesce(r.reservations_count, 0)::integer as reservations_count,
  -- Sums without a limit: one that did not fit would end the refresh for every account.
  round(coalesce(o.total_revenue_orders, 0), 2) as total_revenue_orders,
  round(coalesce(r.total_revenue_res_estimate, 0), 2) as total_revenue_res_estimate,
  round(coalesce(c.saved_seconds, 0) / 60.0, 1) as minutes_saved
from calls c
full join orders o using (location_id, local_date)
full join reservations r using (location_id, local_date)
join certus.locations l on l.id = location_id;
comment on materialized view certus.mv_metrics_daily is
  'What happened, by location and local day. Nobody reads it: certus.metrics_daily_v is its front';
comment on column certus.mv_metrics_daily.local_date is 'The day by the location''s time zone';
comment on column certus.mv_metrics_daily.total_calls is 'All calls that started that day; the columns by type add up to it';
comment on column certus.mv_metrics_daily.orders_count is 'Orders made that day, but for cancelled and failed ones';
comment on column certus.mv_metrics_daily.reservations_count is
  'Reservations made that day, for whatever day, but for cancelled ones and those nobody came for';
comment on column certus.mv_metrics_daily.total_revenue_res_estimate is
  'Guests of those reservations times what each is expected to spend';
comment on column certus.mv_metrics_daily.minutes_saved is
  'Minutes that the assistant was on the phone, but for calls handed to the staff';
-- "refresh … concurrently" needs it, and the tiles of some locations come by it.
create unique index metrics_are_unique_by_day on certus.mv_metrics_daily (location_id, local_date);
create index metrics_of_an_account on certus.mv_metrics_daily (account_id, local_date);

create view certus.metrics_daily_v with (security_barrier = true) as
select
  m.account_id,
  m.location_id,
  m.local_date,
  m.total_calls,
  m.order_calls,
  m.reservation_calls,
  m.catering_calls,
  m.general_calls,
  m.other_calls,
  m.orders_count,
  m.reservations_count,
  m.total_revenue_orders,
  m.total_revenue_res_estimate,
  m.minutes_saved
from certus.mv_metrics_daily m
-- An array, as in the policies of the logs: an operator's days come by the index of the locations.
where m.location_id = any (array(select certus.readable_locations()));
comment on view certus.metrics_daily_v is 'Metrics by location and local day, of the locations that the caller reads';
comment on column certus.metrics_daily_v.local_date is 'The day by the location''s time zone';
comment on column certus.metrics_daily_v.orders_count is 'Orders made that day, but for cancelled and failed ones';
comment on column certus.metrics_daily_v.reservations_count is
  'Reservations made that day, for whatever day, but for cancelled ones and those nobody came for';
comment on column certus.metrics_daily_v.total_revenue_res_estimate is
  'Guests of those reservations times what each is expected to spend';
comment on column certus.metrics_daily_v.minutes_saved is
  'Minutes that the assistant was on the phone, but for calls handed to the staff';

grant select on certus.mv_metrics_daily to certus_reader;
-- Who is to own a view must be allowed to make one.
grant create on schema certus to certus_reader;
alter view certus.metrics_daily_v owner to certus_reader;
revoke create on schema certus from certus_reader;
-- Not to the secret key: the policies ask who is signed in, so it would see nothing.
grant select on certus.metrics_daily_v to authenticated;
