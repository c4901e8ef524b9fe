-- The metrics by day are counted again every five minutes, and whenever somebody who answers for them asks.

-- Organizations that have accounts in Certus and are administered by the caller. Reads only; called by the engine, as its
-- owner.
create function certus.refresh_orgs() returns setof uuid
language sql stable
set search_path = ''
as $$
  select distinct a.org_id from certus.accounts a where a.org_id in (select public.admin_orgs());
$$;
revoke all on function certus.refresh_orgs() from public;
comment on function certus.refresh_orgs() is 'Organizations for which the caller may refresh the metrics: owners and admins';

insert into jobs.refreshable_views (view) values ('certus.mv_metrics_daily');
insert into jobs_private.view_sources (view, relation, authorize_with)
values ('certus.mv_metrics_daily', 'certus.mv_metrics_daily', 'certus.refresh_orgs');

select cron.schedule(
  'longshore-refresh-metrics-daily',
  '*/5 * * * *',
  $$select jobs_private.refresh_on_schedule('certus.mv_metrics_daily')$$
);
