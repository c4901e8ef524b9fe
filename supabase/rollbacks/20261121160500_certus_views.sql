drop view certus.reservations_v;
drop view certus.upsells_v;
drop view certus.order_updates_v;
drop view certus.orders_v;
drop view certus.calls_v;
drop policy locations_are_viewed_by_their_people on certus.locations;
revoke select (id, avg_spend_per_head) on certus.locations from certus_reader;
drop function certus.mask_phone(text);
