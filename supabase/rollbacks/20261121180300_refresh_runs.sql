drop function jobs_private.fail_refresh(uuid, bigint, bigint, jsonb, boolean);
drop function jobs_private.refresh_view(uuid, bigint, bigint);
drop function jobs_private.end_waiting(uuid[], timestamptz, jsonb, jsonb);
drop function jobs_private.begin_refresh(uuid, bigint);
drop function jobs_private.may_refresh(uuid);
