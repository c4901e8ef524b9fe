drop table jobs.refreshes;
drop function jobs_private.views_of_caller();
drop function jobs_private.refresh_orgs(text);
drop table jobs_private.view_sources;
drop table jobs.refreshable_views;
alter table jobs.settings drop column refresh_seconds;
