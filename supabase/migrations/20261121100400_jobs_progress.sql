-- Clients follow a job on private channels instead of asking again and again. Messages are hints that may get lost:
-- each carries the whole public job and a version, so that a client sees a gap and reads the row.

-- Numbers every update. Before update on jobs.jobs, on the row at hand only.
create function jobs_private.number_update() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.version := old.version + 1;
  new.updated_at := jobs.now();
  return new;
end
$$;
revoke all on function jobs_private.number_update() from public;
comment on function jobs_private.number_update() is 'Counts the version of a job and notes when it changed';

-- Sends the public job to its two channels. After insert and update on jobs.jobs; changes no state, locks nothing.
create function jobs_private.send_progress() returns trigger
language plpgsql
security definer -- only the engine may write to these channels, whoever's statement fired
set search_path = ''
as $$
declare
  v_payload jsonb := to_jsonb(new) - 'params';
begin
  if new.result ? 'preview' then
    v_payload := jsonb_set(v_payload, '{result}', new.result - 'preview');
  end if;
  perform realtime.send(v_payload, 'progress', 'job:' || new.id, true);
  perform realtime.send(v_payload, 'progress', 'org:' || new.org_id || ':jobs', true);
  return null;
end
$$;
revoke all on function jobs_private.send_progress() from public;
comment on function jobs_private.send_progress() is 'Broadcasts a job to job:<id> and org:<org_id>:jobs';

create trigger jobs_number_update before update on jobs.jobs
for each row execute function jobs_private.number_update();
create trigger jobs_send_progress after insert or update on jobs.jobs
for each row execute function jobs_private.send_progress();

-- Read policies only: without one for insert, nobody but the trigger can write to these channels. What they mean stands
-- here alone: postgres may make policies on this table, but not comment on them.

-- Channel job:<id>: whoever may read the job, which row security of jobs.jobs decides.
create policy jobs_are_followed_by_their_readers on realtime.messages for select to authenticated
using (
  extension = 'broadcast'
  and case
    when (select realtime.topic()) ~ '^job:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    then exists (select from jobs.jobs j where j.id = substr((select realtime.topic()), 5)::uuid)
    else false
  end
);

-- Channel org:<org_id>:jobs: owners and admins of the organization.
create policy jobs_of_an_org_are_followed_by_its_admins on realtime.messages for select to authenticated
using (
  extension = 'broadcast'
  and (select realtime.topic()) in (select 'org:' || o || ':jobs' from public.admin_orgs() o)
);
