drop function jobs_private.refresh_on_schedule(text);
drop function jobs.request_refresh(text);
drop function jobs_private.require_view(text);
drop function jobs.authorize_refresh(text);
