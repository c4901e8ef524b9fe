drop view certus.metrics_daily_v;
drop materialized view certus.mv_metrics_daily;
