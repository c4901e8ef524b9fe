drop table jobs_private.tenants;
drop sequence jobs_private.tokens;
drop table jobs_private.job_state;
drop table jobs.jobs;
drop table jobs_private.kinds;
