select cron.unschedule('longshore-cron-history');
select cron.unschedule('longshore-tick');
drop function jobs_private.tick_if_needed();
drop function jobs_private.has_work();
