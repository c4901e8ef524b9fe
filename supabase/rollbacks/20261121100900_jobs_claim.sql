drop function jobs_private.claim_job(text[], text, uuid);
drop function jobs_private.may_start(uuid, timestamptz);
drop function jobs_private.owner_claims(uuid);
drop function jobs_private.read_claims(uuid, text);
