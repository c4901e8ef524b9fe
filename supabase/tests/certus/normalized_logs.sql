begin;
select plan(40);
select tests.create_restaurants();

insert into certus_private.call_logs (account_id, location_id, external_id, provider_status, provider_call_type, started_at, ended_at, reported_duration_seconds)
select md5('bistro')::uuid, md5('soho')::uuid, v.* from (values
  ('1', 'Completed', 'Order', '2026-03-01 12:00+00'::timestamptz, '2026-03-01 12:01+00'::timestamptz, null::integer),
  ('2', ' no-answer ', 'BOOKING', '2026-03-01 12:00+00', null, 0),
  ('3', 'forwarded', 'large_party', '2026-03-01 12:00+00', null, 95),
  ('4', 'ringing', 'faq', '2026-03-01 12:00+00', null, null),
  ('5', null, null, '2026-03-01 12:00+00', '2026-03-01 12:00:30.6+00', null),
  ('6', 'quantum', 'weather', '2026-03-01 12:00+00', null, null),
  ('7', 'voicemail', 'order', '2026-03-01 12:00+00', '2026-03-01 12:01+00', 45),
  ('8', 'error', 'order', '2026-03-01 12:00+00', null, null)) v;
select is((select array[status, call_type, duration_seconds::text] from certus_private.call_logs where external_id = e.id), e.expected, 'call ' || e.says)
from (values
  ('1', array['completed', 'order', '60'], 'as providers mostly say it'),
  ('2', array['missed', 'reservation', '0'], 'with blanks and capitals'),
  ('3', array['transferred', 'catering', '95'], 'with a duration and no end'),
  ('4', array['in_progress', 'general', null], 'that goes on'),
  ('5', array['completed', 'other', '31'], 'without status or type, but with an end'),
  ('6', array['unknown', 'other', null], 'in words that nobody knows'),
  ('7', array['voicemail', 'order', '45'], 'with an end and another duration'),
  ('8', array['failed', 'order', null], 'that failed')) e (id, expected, says);

select tests.act_as('Ada');
select is((select ended_at from certus.calls_v where external_id = '3'), '2026-03-01 12:01:35+00', 'the end follows from the duration');
select is((select ended_at from certus.calls_v where external_id = '4'), null, 'and is unknown without one');
select tests.act_as_postgres();

insert into certus_private.order_logs (account_id, location_id, external_id, provider_status, provider_fulfillment_type,
  reported_subtotal, reported_tax, reported_service_charge, reported_delivery, reported_total)
select md5('bistro')::uuid, md5('soho')::uuid, v.* from (values
  ('1', 'Delivered', 'Delivery', 10.00, 2.00, 1.00, 3.00, 16.00),
  ('2', 'VOID', 'collection', 10.00, 2.00, null, null, null),
  ('3', 'cooking', 'eat in', null, 2.00, 1.00, null, 20.00),
  ('4', null, null, null, null, null, null, null),
  ('5', 'declined', 'drone', null, 9.00, null, null, 5.00),
  ('6', 'accepted', 'pick-up', 0, 0, 0, 0, 0)) v;
select is((select array[status, fulfillment_type, subtotal_amount::text, tax_amount::text, service_charge_amount::text, delivery_amount::text, total_amount::text]
  from certus_private.order_logs where external_id = e.id), e.expected, 'order ' || e.says)
from (values
  ('1', array['completed', 'delivery', '10.00', '2.00', '1.00', '3.00', '16.00'], 'with all amounts'),
  ('2', array['cancelled', 'pickup', '10.00', '2.00', '0.00', '0.00', '12.00'], 'without a total'),
  ('3', array['preparing', 'dine_in', '17.00', '2.00', '1.00', '0.00', '20.00'], 'without a subtotal'),
  ('4', array['unknown', 'other', '0.00', '0.00', '0.00', '0.00', '0.00'], 'that says nothing'),
  ('5', array['failed', 'other', '0.00', '9.00', '0.00', '0.00', '5.00'], 'whose parts exceed its total'),
  ('6', array['confirmed', 'pickup', '0.00', '0.00', '0.00', '0.00', '0.00'], 'for nothing')) e (id, expected, says);

insert into certus_private.reservations (account_id, location_id, external_id, provider_status, reservation_at, guest_count, avg_spend_per_head_override)
select md5('bistro')::uuid, md5('soho')::uuid, v.* from (values
  ('1', null, '2026-03-05 19:00+00'::timestamptz, 4, null::numeric), ('2', 'Seated', '2026-03-05 19:00+00', 2, 12.5),
  ('3', 'no show', '2026-03-05 19:00+00', 4, 99), ('4', 'canceled', '2026-03-05 19:00+00', 4, null),
  ('5', 'waitlist', '2026-03-05 19:00+00', 1, 0), ('6', 'maybe', '2026-03-05 19:00+00', 1, null)) v;
select tests.act_as('Ada');
select is((select array[status, estimated_revenue::text] from certus.reservations_v where external_id = e.id), e.expected, 'reservation ' || e.says)
from (values
  ('1', array['confirmed', '120.00'], 'without a status'), ('2', array['completed', '25.00'], 'with a figure of its own'),
  ('3', array['no_show', '0.00'], 'that nobody came for'), ('4', array['cancelled', '0.00'], 'that was cancelled'),
  ('5', array['pending', '0.00'], 'worth nothing'), ('6', array['unknown', '30.00'], 'in words that nobody knows')) e (id, expected, says);

select is(certus.mask_phone(m.phone), m.masked, 'masked: ' || m.says)
from (values
  ('+442079460018', '+44 ••• ••• 0018', 'a country of two digits'), ('+1 202 555 0123', '+1 ••• ••• 0123', 'of one'),
  ('+353 1 234 5678', '+353 ••• ••• 5678', 'of three'), ('020 7946 0018', '••• ••• 0018', 'no country'),
  ('+353 1 2345', '••• •••', 'too short for its country'), ('12345', '••• •••', 'too short to show anything of'), (null, null, 'none')) m (phone, masked, says);

select tests.act_as_postgres();
select throws_ok(
  $$insert into certus_private.call_logs (account_id, location_id, external_id, started_at, caller_phone) values (md5('bistro')::uuid, md5('soho')::uuid, '9', now(), 'Ann')$$,
  '23514', null, 'a phone number that is none is refused');
select throws_ok(
  $$insert into certus_private.call_logs (account_id, location_id, external_id, started_at, ended_at) values (md5('bistro')::uuid, md5('soho')::uuid, '9', now(), now() - interval '1 s')$$,
  '23514', null, 'a call that ends before it starts is refused');
select throws_ok(
  $$insert into certus_private.call_logs (account_id, location_id, external_id, started_at) values (md5('bistro')::uuid, md5('soho')::uuid, '1', now())$$,
  '23505', null, 'a call comes once');

-- NaN is not negative, and would make every sum that it is in NaN.
select throws_ok(
  format($$insert into certus_private.order_logs (account_id, location_id, external_id, reported_%s) values (md5('bistro')::uuid, md5('soho')::uuid, 'NaN', 'NaN')$$, c),
  '23514', null, 'no ' || c || ' is no number')
from unnest(array['subtotal', 'tax', 'service_charge', 'delivery', 'total']) c;
select throws_ok(
  $$insert into certus_private.reservations (account_id, location_id, external_id, reservation_at, guest_count, avg_spend_per_head_override)
    values (md5('bistro')::uuid, md5('soho')::uuid, 'NaN', now(), 2, 'NaN')$$, '23514', null, 'nor is what a guest spends');
select throws_ok(
  $$insert into certus_private.upsells (order_id, location_id, item, amount) values (md5('none')::uuid, md5('soho')::uuid, 'Bread', 'NaN')$$,
  '23514', null, 'nor an upsell');
select throws_ok($$update certus.locations set avg_spend_per_head = 'NaN' where code = 'SOHO'$$, '23514', null, 'nor a location''s figure');

select * from finish();
rollback;
