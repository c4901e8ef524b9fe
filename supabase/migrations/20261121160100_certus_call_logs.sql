-- The log of calls holds whole phone numbers, so it lies in a schema that the API does not show, and people read it
-- through views. The views belong to a role of their own that row security binds: the policies decide for a view as
-- they would for the table, and they ask auth.uid(), which is the person's. Views that belong to postgres would show
-- every row, and views that run as the person would need the person to be able to read the bare table.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'certus_reader') then
    create role certus_reader nologin noinherit;
  end if;
end
$$;
comment on role certus_reader is 'Owns the views of Certus and nothing else; without BYPASSRLS, so that policies bind the views';
-- Only a member may give it what it is to own. It adds nothing to what postgres may do.
grant certus_reader to postgres;

create schema certus_private;
comment on schema certus_private is 'The logs of Certus, phone numbers included. Not exposed through the API';
revoke all on schema certus_private from public;
-- Signed-in people only by direct SQL, as an import does it in its owner's name; the policies below let in admins alone.
grant usage on schema certus_private to authenticated, service_role, certus_reader, longshore_worker;
grant usage on schema certus to certus_reader, longshore_worker;
grant execute on function certus.caller_accounts, certus.readable_accounts, certus.admin_accounts,
  certus.readable_locations, certus.operable_locations to certus_reader;

create table certus_private.call_logs (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null,
  location_id uuid not null,
  external_id text not null,
  caller_phone text,
  caller_name text,
  provider_status text,
  provider_call_type text,
  started_at timestamptz not null,
  ended_at timestamptz,
  reported_duration_seconds integer,
  summary_md text,
  transcript_md text,
  recording_url text,
  created_at timestamptz not null default now(),
  status text not null generated always as (
    case
      when lower(btrim(provider_status)) in ('completed', 'complete', 'ended', 'done', 'answered', 'hangup', 'success', 'successful') then 'completed'
      when lower(btrim(provider_status)) in ('transferred', 'forwarded', 'handed_off', 'escalated') then 'transferred'
      when lower(btrim(provider_status)) in ('voicemail', 'voice-mail', 'message') then 'voicemail'
      when lower(btrim(provider_status)) in ('missed', 'no-answer', 'no_answer', 'no answer', 'busy', 'abandoned', 'canceled', 'cancelled') then 'missed'
      when lower(btrim(provider_status)) in ('failed', 'error', 'rejected') then 'failed'
      when lower(btrim(provider_status)) in ('queued', 'initiated', 'ringing', 'in-progress', 'in_progress', 'in progress', 'active') then 'in_progress'
      when ended_at is not null or reported_duration_seconds is not null then 'completed'
      else 'unknown'
    end
  ) stored,
  call_type text not null generated always as (
    case
      when lower(btrim(provider_call_type)) in ('order', 'orders', 'food_order', 'takeaway', 'takeout', 'delivery', 'pickup') then 'order'
      when lower(btrim(provider_call_type)) in ('reservation', 'reservations', 'booking', 'book', 'table') then 'reservation'
      when lower(btrim(provider_call_type)) in ('catering', 'event', 'events', 'party', 'large_party') then 'catering'
      when lower(btrim(provider_call_type)) in ('general', 'inquiry', 'enquiry', 'question', 'faq', 'info', 'information') then 'general'
      else 'other'
    end
  ) stored,
  duration_seconds integer generated always as (
    case
      when reported_duration_seconds is not null then reported_duration_seconds
      -- Kept within an integer, so that a mistyped year breaks a rule below and not the arithmetic.
      when ended_at is not null then least(greatest(round(extract(epoch from ended_at - started_at)), 0), 2147483647)::integer
    end
  ) stored,
  constraint call_is_unique_in_the_account unique (account_id, external_id),
  constraint calls_are_known_with_their_location unique (id, location_id),
  constraint calls_are_of_a_location_of_the_account
    foreign key (location_id, account_id) references certus.locations (id, account_id),
  constraint call_id_is_not_blank check (btrim(external_id) <> ''),
  constraint call_id_has_at_most_200_characters check (char_length(external_id) <= 200),
  constraint caller_phone_is_a_phone_number check (caller_phone ~ '^\+?[0-9][0-9 ()./-]{2,24}$'),
  constraint call_ends_after_it_starts check (ended_at >= started_at),
  constraint call_lasts_at_most_24_hours check (ended_at - started_at <= interval '24 hours'),
  constraint duration_is_not_negative check (reported_duration_seconds >= 0),
  constraint recording_is_at_an_https_address check (recording_url ~ '^https://')
);
comment on table certus_private.call_logs is 'One row a call, as the phone provider tells it; read through certus.calls_v';
comment on column certus_private.call_logs.external_id is 'The provider''s id of the call, unique in the account: the key of imports';
comment on column certus_private.call_logs.caller_phone is 'Whole; null where the caller withholds it';
comment on column certus_private.call_logs.provider_status is 'The status in the provider''s words';
comment on column certus_private.call_logs.status is
  'Normalized: in_progress, completed, transferred, voicemail, missed, failed, unknown';
comment on column certus_private.call_logs.provider_call_type is 'What the call was about, in the provider''s words';
comment on column certus_private.call_logs.call_type is 'Normalized: order, reservation, catering, general, other';
comment on column certus_private.call_logs.duration_seconds is 'As the provider reports it, else from start to end; null while the call goes on';
comment on constraint caller_phone_is_a_phone_number on certus_private.call_logs is
  'digits, spaces and ( ) . / - with an optional + before them';
comment on constraint recording_is_at_an_https_address on certus_private.call_logs is 'it starts with https://';
-- With the id, since calls may start at the same second, and a page ends between two of them. With the location, so that
-- the calls of an account that somebody does not read are passed over in the index.
create index calls_of_an_account on certus_private.call_logs (account_id, started_at desc, id desc, location_id);
-- A status that is rare, or that no call has, would be looked for in all of the account, a million calls in 4 s. What they
-- cost an import of calls could not be told from the noise.
create index calls_of_an_account_by_status on certus_private.call_logs
  (account_id, status, started_at desc, id desc, location_id);
create index calls_of_an_account_by_type on certus_private.call_logs
  (account_id, call_type, started_at desc, id desc, location_id);
create index calls_of_a_location on certus_private.call_logs (location_id, started_at desc, id desc);

alter table certus_private.call_logs enable row level security;

-- An array, which an index can look for; "in (select …)" is a filter of rows that have been fetched. A stranger who asked
-- for the calls of an account fetched all of them, a million in 4 s; now none.
create policy calls_are_viewed_by_location on certus_private.call_logs
  for select to certus_reader using (location_id = any (array(select certus.readable_locations())));
comment on policy calls_are_viewed_by_location on certus_private.call_logs is
  'Through the views: whoever reads the location';
create policy calls_are_read_by_admins on certus_private.call_logs
  for select to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy calls_are_read_by_admins on certus_private.call_logs is
  'In an import''s own session: admins, who may see whole phone numbers';
create policy calls_are_imported_by_admins on certus_private.call_logs
  for insert to authenticated with check (account_id in (select certus.admin_accounts()));
comment on policy calls_are_imported_by_admins on certus_private.call_logs is 'Admins of the account';
create policy calls_are_corrected_by_admins on certus_private.call_logs
  for update to authenticated
  using (account_id in (select certus.admin_accounts())) with check (account_id in (select certus.admin_accounts()));
comment on policy calls_are_corrected_by_admins on certus_private.call_logs is
  'Admins of the account, by an import that updates';

grant select on certus_private.call_logs to certus_reader;
grant
  select,
  insert (id, account_id, location_id, external_id, caller_phone, caller_name, provider_status, provider_call_type,
    started_at, ended_at, reported_duration_seconds, summary_md, transcript_md, recording_url),
  update (location_id, caller_phone, caller_name, provider_status, provider_call_type, started_at, ended_at,
    reported_duration_seconds, summary_md, transcript_md, recording_url)
on certus_private.call_logs to authenticated;
grant select, insert, update, delete on certus_private.call_logs to service_role;
