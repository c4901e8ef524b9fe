-- What a dashboard asks for again and again, each in one round trip. In PL/pgSQL, which keeps its plans from one request
-- of a session to the next.

-- The newest calls of an account. Reads only, locks nothing; for people. A definer that belongs to certus_reader, as the
-- views do, and is bound by the same policies: it reads the log by the index that serves, which a query over the view
-- cannot say, and once, since every look asks for the caller's rights again. Its columns are those of the view. All of an
-- account come by the account's indexes; some locations each by its own, so that one quiet location is not looked for among
-- a million calls of the others. Planned for what is asked, so that a status or a type goes by its index; in the indexes'
-- order, since the planner expects few calls where both the policy and the query name locations, and would sort them all.
create function certus.list_recent_calls(
  p_account_id uuid,
  p_location_ids uuid[] default null,
  p_status text default null,
  p_call_type text default null,
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_limit integer default 50
) returns setof certus.calls_v
language plpgsql stable security definer rows 50
set search_path = ''
set plan_cache_mode = force_custom_plan
set enable_bitmapscan = off
as $$
declare
  v_limit integer := least(greatest(coalesce(p_limit, 50), 0), 1000);
  v_before timestamptz := coalesce(p_before, 'infinity');
  -- Less than every id: without one, calls of that very moment are not before it.
  v_before_id uuid := coalesce(p_before_id, '00000000-0000-0000-0000-000000000000');
  v_role text := (select c.role from certus.caller_accounts() c where c.account_id = p_account_id);
  v_location_ids uuid[] := p_location_ids;
begin
  if v_role is null then
    return;
  end if;
  if v_role = 'operator' and v_location_ids is null then
    v_location_ids := array(select certus.readable_locations());
  end if;
  if v_location_ids is null then
    return query
    select
      c.id, c.account_id, c.location_id, c.external_id, c.started_at,
      coalesce(c.ended_at, c.started_at + make_interval(secs => c.duration_seconds)), c.status, c.call_type,
      c.duration_seconds, c.caller_name,
      case when v_role = 'admin' then c.caller_phone else certus.mask_phone(c.caller_phone) end, c.summary_md,
      c.transcript_md, c.recording_url
    from certus_private.call_logs c
    where c.account_id = p_account_id and (c.started_at, c.id) < (v_before, v_before_id)
      and (p_status is null or c.status = p_status) and (p_call_type is null or c.call_type = p_call_type)
    order by c.started_at desc, c.id desc
    limit v_limit;
  else
    return query
    select
      c.id, c.account_id, c.location_id, c.external_id, c.started_at,
      coalesce(c.ended_at, c.started_at + make_interval(secs => c.duration_seconds)), c.status, c.call_type,
      c.duration_seconds, c.caller_name,
      case when v_role = 'admin' then c.caller_phone else certus.mask_phone(c.caller_phone) end, c.summary_md,
      c.transcript_md, c.recording_url
    from (select distinct l.id from unnest(v_location_ids) l (id)) l
    cross join lateral (
      select * from certus_private.call_logs c
      where c.location_id = l.id and c.account_id = p_account_id and (c.started_at, c.id) < (v_before, v_before_id)
        and (p_status is null or c.status = p_status) and (p_call_type is null or c.call_type = p_call_type)
      order by c.started_at desc, c.id desc
      limit v_limit
    ) c
    order by c.started_at desc, c.id desc
    limit v_limit;
  end if;
end;
$$;
comment on function certus.list_recent_calls is
  'The newest calls of an account, of some locations, of a status or of a type, at most 1,000; the next page is before started_at and id of the last call';
revoke all on function certus.list_recent_calls from public;
grant execute on function certus.list_recent_calls to authenticated;

-- An account's metrics by local day, added up over the locations that the caller reads, or over some of them. Reads only,
-- locks nothing; for people. Planned for each range: one plan for all ranges expects a handful of rows, and took four times
-- as long for 90 days of 200 locations.
create function certus.get_metrics_daily(
  p_account_id uuid,
  p_from date,
  p_to date,
  p_location_ids uuid[] default null
) returns table (
  local_date date,
  total_calls bigint,
  order_calls bigint,
  reservation_calls bigint,
  catering_calls bigint,
  general_calls bigint,
  other_calls bigint,
  orders_count bigint,
  reservations_count bigint,
  total_revenue_orders numeric,
  total_revenue_res_estimate numeric,
  minutes_saved numeric
)
language plpgsql stable rows 90
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
  v_location_ids uuid[] := p_location_ids;
begin
  -- An operator's few locations come by their own index, not out of all of the account.
  if v_location_ids is null
    and exists (select from certus.caller_accounts() c where c.account_id = p_account_id and c.role = 'operator') then
    v_location_ids := array(select certus.readable_locations());
  end if;
  return query
  select m.local_date, sum(m.total_calls), sum(m.order_calls), sum(m.reservation_calls), sum(m.catering_calls),
    sum(m.general_calls), sum(m.other_calls), sum(m.orders_count), sum(m.reservations_count),
    sum(m.total_revenue_orders), sum(m.total_revenue_res_estimate), sum(m.minutes_saved)
  from certus.metrics_daily_v m
  where m.account_id = p_account_id and m.local_date between p_from and p_to
    and (v_location_ids is null or m.location_id = any (v_location_ids))
  group by m.local_date
  order by m.local_date;
end;
$$;
comment on function certus.get_metrics_daily is
  'Metrics of an account by local day from p_from to p_to, over all locations that the caller reads or over some';
revoke all on function certus.get_metrics_daily from public;
grant execute on function certus.get_metrics_daily to authenticated;

-- All there is about one call. Reads only, locks nothing; for people. A call that is not there and one that the caller
-- may not read are refused in the same words. A definer: everything that hangs on a call is of its location and account,
-- by foreign keys, so the right to the call is the right to all of it, and is asked for once instead of for each of six
-- tables. Its rows are those of the views, phone numbers masked alike.
create function certus.get_call_detail(p_call_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_call certus_private.call_logs;
  v_role text;
begin
  select * into v_call from certus_private.call_logs c where c.id = p_call_id;
  v_role := (select c.role from certus.caller_accounts() c where c.account_id = v_call.account_id);
  if v_role is null
    or v_role = 'operator' and v_call.location_id not in (select certus.readable_locations()) then
    perform longshore_private.raise_error(404, 'call_not_found',
      'Cannot show this call: expected one of a location that you read');
  end if;
  return jsonb_build_object(
    'call', jsonb_build_object(
      'id', v_call.id, 'account_id', v_call.account_id, 'location_id', v_call.location_id,
      'external_id', v_call.external_id, 'started_at', v_call.started_at,
      'ended_at', coalesce(v_call.ended_at, v_call.started_at + make_interval(secs => v_call.duration_seconds)),
      'status', v_call.status, 'call_type', v_call.call_type, 'duration_seconds', v_call.duration_seconds,
      'caller_name', v_call.caller_name,
      'caller_phone', case when v_role = 'admin' then v_call.caller_phone else certus.mask_phone(v_call.caller_phone) end,
      'summary_md', v_call.summary_md, 'transcript_md', v_call.transcript_md, 'recording_url', v_call.recording_url),
    'orders', array(
      select jsonb_build_object(
        'id', o.id, 'account_id', o.account_id, 'location_id', o.location_id, 'call_id', o.call_id,
        'external_id', o.external_id, 'created_at', o.created_at, 'status', o.status,
        'fulfillment_type', o.fulfillment_type, 'customer_name', o.customer_name,
        'customer_phone', case when v_role = 'admin' then o.customer_phone else certus.mask_phone(o.customer_phone) end,
        'subtotal_amount', o.subtotal_amount, 'tax_amount', o.tax_amount,
        'service_charge_amount', o.service_charge_amount, 'delivery_amount', o.delivery_amount,
        'total_amount', o.total_amount,
        'updates', array(
          select to_jsonb(u) from certus_private.order_updates u where u.order_id = o.id order by u.created_at, u.id),
        'upsells', array(
          select to_jsonb(u) from certus_private.upsells u where u.order_id = o.id order by u.created_at, u.id))
      from certus_private.order_logs o where o.call_id = p_call_id order by o.created_at, o.id),
    'reservations', array(
      select jsonb_build_object(
        'id', r.id, 'account_id', r.account_id, 'location_id', r.location_id, 'call_id', r.call_id,
        'external_id', r.external_id, 'created_at', r.created_at, 'reservation_at', r.reservation_at,
        'status', r.status, 'guest_count', r.guest_count, 'customer_name', r.customer_name,
        'customer_phone', case when v_role = 'admin' then r.customer_phone else certus.mask_phone(r.customer_phone) end,
        'avg_spend_per_head_override', r.avg_spend_per_head_override,
        'estimated_revenue', case
          when r.status in ('cancelled', 'no_show') then 0
          else r.guest_count * coalesce(r.avg_spend_per_head_override, l.avg_spend_per_head)
        end::numeric(14, 2),
        'notes', r.notes)
      from certus_private.reservations r
      join certus.locations l on l.id = r.location_id
      where r.call_id = p_call_id order by r.created_at, r.id),
    'notes', array(
      select to_jsonb(n) from certus.internal_notes n where n.call_id = p_call_id order by n.created_at, n.id));
end;
$$;
comment on function certus.get_call_detail is
  '{call, orders: [{…, updates, upsells}], reservations, notes}, each as its view has it';
revoke all on function certus.get_call_detail from public;
grant execute on function certus.get_call_detail to authenticated;

grant create on schema certus to certus_reader;
alter function certus.list_recent_calls(uuid, uuid[], text, text, timestamptz, uuid, integer) owner to certus_reader;
revoke create on schema certus from certus_reader;
