drop function jobs_private.end_attempt(uuid, jsonb);
drop function jobs_private.close_job(uuid, text, jsonb, jsonb);
drop function jobs_private.end_holder(jobs_private.job_state);
drop function jobs_private.drop_staging(uuid);
