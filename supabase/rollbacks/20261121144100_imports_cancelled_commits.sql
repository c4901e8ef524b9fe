-- Cancelled commits have no result any more.
drop trigger cancelled_commits_are_counted on jobs.jobs;
drop function jobs_private.count_cancelled_commit();
