drop function jobs.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb);
revoke usage on schema jobs_private from authenticated;
drop function jobs_private.enqueue_job(text, text, uuid, jsonb, uuid, text, text, jsonb, jsonb);
drop function jobs_private.require_room(uuid);
drop function jobs_private.require_check(uuid, uuid, uuid);
drop function jobs_private.public_job(uuid);
