drop function jobs_private.dispatch();
drop function jobs_private.waiting_jobs(timestamptz, text[], timestamptz);
drop function jobs_private.nudge(uuid);
drop function jobs_private.post(text, jsonb);
