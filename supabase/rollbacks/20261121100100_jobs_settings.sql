drop function jobs_private.read_settings();
drop table jobs.settings;
drop function jobs.now();
drop schema jobs_private;
drop schema jobs;
