-- A commit that is cancelled has written rows already, for good. Its result says how many, as that of a finished one does:
-- whoever has it tried again, or corrects the rest by hand, must know what is in the table.

-- Gives a commit that is being cancelled its counts: those of its last checkpoint, and as skipped the rows that it has not
-- reached. Null where nobody knows how many rows there were. Changes the row at hand and locks nothing: the job's row is
-- locked, so that no checkpoint comes in between.
create function jobs_private.count_cancelled_commit() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_cursor jsonb := (select s.cursor from jobs_private.job_state s where s.job_id = new.id);
  v_counts jsonb := coalesce(v_cursor -> 'counts', '{"inserted": 0, "updated": 0, "unchanged": 0, "skipped": 0, "failed": 0}');
  v_rows integer := coalesce(
    v_cursor ->> 'rows',
    (select check_job.result ->> 'rows' from jobs.jobs check_job where check_job.id = new.parent_id)
  );
  v_done integer := coalesce(v_cursor ->> 'done', '0');
begin
  new.result := v_counts || jsonb_build_object('skipped', (v_counts ->> 'skipped')::integer + v_rows - v_done);
  if v_rows is null then
    new.result := null;
  end if;
  return new;
end;
$$;
comment on function jobs_private.count_cancelled_commit is 'Trigger: tells what a commit had written when it was cancelled';
revoke all on function jobs_private.count_cancelled_commit from public;

create trigger cancelled_commits_are_counted before update of state on jobs.jobs
  for each row when (new.kind = 'import_commit' and new.state = 'cancelled' and old.state <> 'cancelled')
  execute function jobs_private.count_cancelled_commit();
