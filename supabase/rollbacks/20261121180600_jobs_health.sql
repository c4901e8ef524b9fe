drop view jobs.health;
drop function jobs_private.health();
revoke usage on schema jobs_private from service_role;
