-- Takes back the refusal of commits that cannot end well; they fail as jobs then.
drop trigger commits_can_end_well on jobs.jobs;
drop function jobs_private.refuse_commit;
