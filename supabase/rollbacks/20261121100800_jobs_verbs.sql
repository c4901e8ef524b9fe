drop function jobs.retry_job(uuid);
drop function jobs.cancel_job(uuid);
drop function jobs_private.lock_own_job(uuid, text);
