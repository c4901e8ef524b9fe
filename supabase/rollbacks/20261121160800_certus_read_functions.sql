drop function certus.get_call_detail(uuid);
drop function certus.get_metrics_daily(uuid, date, date, uuid[]);
drop function certus.list_recent_calls(uuid, uuid[], text, text, timestamptz, uuid, integer);
