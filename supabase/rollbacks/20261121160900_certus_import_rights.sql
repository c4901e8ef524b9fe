revoke maintain on certus_private.call_logs, certus_private.order_logs, certus_private.reservations from longshore_worker;
drop function certus.authorize_import(jsonb);
