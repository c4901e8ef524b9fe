-- What the assistant should know from now on: the staff ask for it, and an automation outside the database takes the
-- requests in and says what became of them. It polls, so that it may be down for a while; it takes a request for a
-- quarter of an hour, so that it may die with one in its hands.
create table certus.knowledge_update_requests (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references certus.accounts (id) on delete cascade,
  location_id uuid,
  requested_by uuid default auth.uid() references auth.users (id) on delete set null,
  subject text not null,
  body text not null,
  status text not null default 'pending',
  attempts integer not null default 0,
  claimed_until timestamptz,
  resolution text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint knowledge_updates_are_of_a_location_of_the_account
    foreign key (location_id, account_id) references certus.locations (id, account_id) on delete cascade,
  constraint knowledge_update_status_is_known check (status in ('pending', 'in_progress', 'completed', 'rejected')),
  constraint knowledge_updates_in_progress_are_claimed check ((status = 'in_progress') = (claimed_until is not null)),
  constraint finished_knowledge_updates_have_finished_at
    check ((status in ('completed', 'rejected')) = (finished_at is not null)),
  constraint subject_has_1_to_200_characters check (btrim(subject) <> '' and char_length(subject) <= 200),
  constraint body_has_1_to_20000_characters check (btrim(body) <> '' and char_length(body) <= 20000)
);
comment on table certus.knowledge_update_requests is
  'What the assistant should know, for the account or one location: pending → in_progress → completed or rejected';
comment on column certus.knowledge_update_requests.attempts is 'How often an automation has taken it';
comment on column certus.knowledge_update_requests.claimed_until is 'Until then it is in an automation''s hands; later another may take it';
comment on column certus.knowledge_update_requests.resolution is 'What the automation says became of it';
create index knowledge_updates_of_an_account on certus.knowledge_update_requests (account_id, created_at desc);
create index knowledge_updates_of_a_location on certus.knowledge_update_requests (location_id, account_id);
create index knowledge_updates_of_a_person on certus.knowledge_update_requests (requested_by);
create index knowledge_updates_that_wait on certus.knowledge_update_requests (created_at)
  where status in ('pending', 'in_progress');

-- Takes the oldest requests that wait, pending → in_progress, and those whose automation let its time pass. Locks the
-- rows it takes, and passes over those that another takes. For an automation with the secret key. A definer: it asks the
-- engine's clock.
create function certus.claim_knowledge_updates(p_limit integer default 10) returns setof certus.knowledge_update_requests
language sql security definer
set search_path = ''
as $$
  with waiting as (
    select r.id from certus.knowledge_update_requests r
    where r.status = 'pending' or (r.status = 'in_progress' and r.claimed_until < jobs.now())
    order by r.created_at
    limit least(greatest(p_limit, 0), 100)
    for update skip locked
  )
  update certus.knowledge_update_requests r
  set status = 'in_progress', attempts = r.attempts + 1, claimed_until = jobs.now() + interval '15 minutes'
  from waiting w
  where r.id = w.id
  returning r.*;
$$;
comment on function certus.claim_knowledge_updates is
  'Takes up to p_limit requests for a quarter of an hour, the oldest first; for an automation with the secret key';
revoke all on function certus.claim_knowledge_updates from public;
grant execute on function certus.claim_knowledge_updates to service_role;

-- Ends a request that is in progress: → completed or rejected. Locks its row. For an automation with the secret key. A
-- definer, as above.
create function certus.finish_knowledge_update(p_id uuid, p_status text, p_resolution text default null)
returns certus.knowledge_update_requests
language plpgsql security definer
set search_path = ''
as $$
declare
  v_request certus.knowledge_update_requests;
begin
  if p_status is null or p_status not in ('completed', 'rejected') then
    perform longshore_private.raise_error(400, 'invalid_request',
      format('Cannot finish the request: found the status "%s", expected "completed" or "rejected"', p_status),
      jsonb_build_object('path', 'p_status'));
  end if;
  update certus.knowledge_update_requests r
  set status = p_status, resolution = p_resolution, claimed_until = null, finished_at = jobs.now()
  where r.id = p_id and r.status = 'in_progress'
  returning * into v_request;
  if v_request.id is null then
    perform longshore_private.raise_error(409, 'not_in_progress',
      'Cannot finish the request: expected one that is in progress');
  end if;
  return v_request;
end;
$$;
comment on function certus.finish_knowledge_update is 'Says what became of a request; for an automation with the secret key';
revoke all on function certus.finish_knowledge_update from public;
grant execute on function certus.finish_knowledge_update to service_role;

alter table certus.knowledge_update_requests enable row level security;

create policy knowledge_updates_are_read_by_their_people on certus.knowledge_update_requests
  for select to authenticated
  using (
    location_id in (select certus.readable_locations())
    or (location_id is null and account_id in (select certus.readable_accounts()))
  );
comment on policy knowledge_updates_are_read_by_their_people on certus.knowledge_update_requests is
  'Those of the account: everybody who has a role in it; a location''s: whoever reads the location';
create policy knowledge_updates_are_asked_by_the_staff on certus.knowledge_update_requests
  for insert to authenticated
  with check (
    requested_by = (select auth.uid())
    and (location_id in (select certus.operable_locations()) or account_id in (select certus.admin_accounts()))
  );
comment on policy knowledge_updates_are_asked_by_the_staff on certus.knowledge_update_requests is
  'Operators for their locations, admins for the account too, in their own name';
create policy knowledge_updates_are_withdrawn_while_pending on certus.knowledge_update_requests
  for delete to authenticated
  using (
    status = 'pending'
    and (requested_by = (select auth.uid()) or account_id in (select certus.admin_accounts()))
  );
comment on policy knowledge_updates_are_withdrawn_while_pending on certus.knowledge_update_requests is
  'Whoever asked, and admins, until an automation has taken it';

grant select, insert (account_id, location_id, subject, body), delete on certus.knowledge_update_requests to authenticated;
grant select, insert, update, delete on certus.knowledge_update_requests to service_role;
