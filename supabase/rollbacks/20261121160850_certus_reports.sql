drop function certus.export_rights(jsonb);
drop function certus.authorize_export(jsonb);
drop view certus.orders_report;
drop view certus.calls_report;
drop view certus.metrics_daily_report;
