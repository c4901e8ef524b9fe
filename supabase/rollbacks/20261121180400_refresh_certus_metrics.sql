select cron.unschedule('longshore-refresh-metrics-daily');
delete from jobs.refreshable_views where view = 'certus.mv_metrics_daily';
drop function certus.refresh_orgs();
