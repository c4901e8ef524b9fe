drop function jobs_private.fail_job(uuid, bigint, jsonb, boolean);
drop function jobs_private.finish_job(uuid, bigint, jsonb);
drop function jobs_private.release_job(uuid, bigint, jsonb, interval, boolean);
drop function jobs_private.checkpoint(uuid, bigint, jsonb, jsonb);
drop function jobs_private.heartbeat(uuid, bigint, jsonb);
drop function jobs_private.renew_lease(uuid, jsonb, jsonb, boolean);
drop function jobs_private.hold_lease(uuid, bigint);
drop function jobs_private.check_lease(uuid, bigint);
