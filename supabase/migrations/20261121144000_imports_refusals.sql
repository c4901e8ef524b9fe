-- A check has at most one commit, whatever becomes of it. A commit that is bound to fail must therefore be refused before
-- it is made: otherwise asking for all rows of a file with a bad one would use the check up, and its valid rows could
-- not be written any more.

-- Refuses a new commit that cannot end well: all rows wanted though some have problems or there are too many for one
-- transaction, or a target that is not the one that was checked. Changes nothing, locks nothing; the check's row is
-- locked by jobs_private.require_check().
create function jobs_private.refuse_commit() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_all boolean := coalesce(new.params ->> 'policy', 'all_or_nothing') = 'all_or_nothing';
  v_result jsonb := (select j.result from jobs.jobs j where j.id = new.parent_id);
  v_invalid integer := v_result ->> 'invalid';
  v_rows integer := v_result ->> 'rows';
  v_limit integer := (select s.one_transaction_rows from jobs.settings s);
  v_import jobs_private.imports;
begin
  if v_all and v_invalid > 0 then
    perform longshore_private.raise_error(409, 'has_problems',
      format('Cannot commit all rows: %s have problems; correct them, or commit with the policy "valid_rows"', v_invalid),
      jsonb_build_object('invalid', v_invalid));
  elsif v_all and v_rows > v_limit then
    perform longshore_private.raise_error(413, 'too_large_for_one_transaction',
      format('Cannot commit %s rows in one transaction: expected at most %s; commit with the policy "valid_rows"',
        v_rows, v_limit),
      jsonb_build_object('rows', v_rows, 'limit', v_limit));
  end if;

  select * into v_import from jobs_private.imports i where i.job_id = new.parent_id;
  if v_import.job_id is not null and v_import.fingerprint is distinct from
    jobs_private.target_fingerprint(to_regclass(v_import.plan ->> 'target'))
  then
    perform longshore_private.raise_error(409, 'target_changed',
      format('Cannot commit the import "%s": the target was changed since the file was checked, check the file again',
        new.parent_id));
  end if;
  return new;
end;
$$;
comment on function jobs_private.refuse_commit is 'Trigger: refuses a commit that cannot end well, while its check can still be committed another way';
revoke all on function jobs_private.refuse_commit from public;

create trigger commits_can_end_well before insert on jobs.jobs
  for each row when (new.kind = 'import_commit') execute function jobs_private.refuse_commit();
