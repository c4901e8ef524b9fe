drop policy jobs_of_an_org_are_followed_by_its_admins on realtime.messages;
drop policy jobs_are_followed_by_their_readers on realtime.messages;
drop trigger jobs_send_progress on jobs.jobs;
drop trigger jobs_number_update on jobs.jobs;
drop function jobs_private.send_progress();
drop function jobs_private.number_update();
