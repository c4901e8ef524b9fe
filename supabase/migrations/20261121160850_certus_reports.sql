-- What people hand on of an account, as queries that its readers may run: an export reads them as the person who asked, so
-- the policies decide which rows there are, and phone numbers are masked in a file as they are in the app.

create view certus.metrics_daily_report with (security_invoker = true) as
select
  m.account_id, m.location_id, l.code as location, l.name as location_name, m.local_date, m.total_calls, m.order_calls,
  m.reservation_calls, m.catering_calls, m.general_calls, m.other_calls, m.orders_count, m.reservations_count,
  m.total_revenue_orders, m.total_revenue_res_estimate, m.minutes_saved
from certus.metrics_daily_v m
join certus.locations l on l.id = m.location_id;
comment on view certus.metrics_daily_report is 'Metrics by day with the location''s code and name, as the caller sees them';

create view certus.calls_report with (security_invoker = true) as
select
  c.id, c.account_id, c.location_id, c.external_id, l.code as location, l.name as location_name, c.started_at,
  (c.started_at at time zone l.time_zone)::date as local_date,
  c.ended_at, c.duration_seconds, c.status, c.call_type, c.caller_name, c.caller_phone, c.summary_md, c.recording_url
from certus.calls_v c
join certus.locations l on l.id = c.location_id;
comment on view certus.calls_report is 'Calls with the location''s code and name and their local day, as the caller sees them';

create view certus.orders_report with (security_invoker = true) as
select
  o.id, o.account_id, o.location_id, o.external_id, l.code as location, l.name as location_name, o.created_at,
  (o.created_at at time zone l.time_zone)::date as local_date, o.status, o.fulfillment_type, o.customer_name,
  o.customer_phone, o.subtotal_amount, o.tax_amount, o.service_charge_amount, o.delivery_amount, o.total_amount,
  a.currency
from certus.orders_v o
join certus.locations l on l.id = o.location_id
join certus.accounts a on a.id = o.account_id;
comment on view certus.orders_report is 'Orders with the location''s code and name and the currency, as the caller sees them';

grant select on certus.metrics_daily_report, certus.calls_report, certus.orders_report to authenticated;

-- Whose export one of an account {account_id} is: its organization if the caller may read the account, else null; null too
-- for anything that names no account. Moves nothing, locks nothing.
create function certus.authorize_export(p_filters jsonb) returns uuid
language sql stable
set search_path = ''
as $$
  select a.org_id
  from certus.accounts a
  where a.id = case
      when pg_input_is_valid(p_filters ->> 'account_id', 'uuid') then (p_filters ->> 'account_id')::uuid
    end
    and a.id in (select certus.readable_accounts());
$$;
comment on function certus.authorize_export is 'The organization of the filters'' account if the caller may read it, else null';
revoke all on function certus.authorize_export from public;
grant execute on function certus.authorize_export to authenticated;

-- What the rows of an export of an account {account_id} depend on beside the account: the caller's role, which masks phone
-- numbers or not, and an operator's locations; null where the caller has none. Another answer is another right.
-- Moves nothing, locks nothing.
create function certus.export_rights(p_filters jsonb) returns text
language sql stable
set search_path = ''
as $$
  select c.role || case
      when c.role = 'operator' then coalesce(
        ' ' || md5((
          select string_agg(l.id::text, ' ' order by l.id) from certus.locations l
          where l.account_id = c.account_id and l.id in (select certus.readable_locations())
        )), '')
      else ''
    end
  from certus.caller_accounts() c
  where c.account_id = case
      when pg_input_is_valid(p_filters ->> 'account_id', 'uuid') then (p_filters ->> 'account_id')::uuid
    end;
$$;
comment on function certus.export_rights is
  'The caller''s role in the filters'' account, and for operators a sum of the locations: an export fails when it changes';
revoke all on function certus.export_rights from public;
grant execute on function certus.export_rights to authenticated;
