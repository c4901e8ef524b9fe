drop table certus_private.upsells;
drop table certus_private.order_updates;
drop table certus_private.order_logs;
