-- Keys by which an account's own systems call the assistant's provider. The keys are the provider's: here is only what
-- people need to tell them apart and to see which one to withdraw. There is no column that a whole key would fit into.
create table certus.api_keys (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references certus.accounts (id) on delete cascade,
  name text not null,
  hint text not null,
  created_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint api_key_name_has_1_to_100_characters check (btrim(name) <> '' and char_length(name) <= 100),
  constraint api_key_hint_has_4_to_8_characters check (hint ~ '^[A-Za-z0-9_-]{4,8}$')
);
comment on table certus.api_keys is 'What is known of an account''s keys; never a key or a hash of one';
comment on column certus.api_keys.hint is 'The first or last characters of the key, to recognize it by';
create index api_keys_of_an_account on certus.api_keys (account_id);
create index api_keys_of_a_person on certus.api_keys (created_by);

alter table certus.api_keys enable row level security;

create policy api_keys_are_read_by_admins on certus.api_keys
  for select to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy api_keys_are_read_by_admins on certus.api_keys is 'Admins of the account';
create policy api_keys_are_noted_by_admins on certus.api_keys
  for insert to authenticated
  with check (created_by = (select auth.uid()) and account_id in (select certus.admin_accounts()));
comment on policy api_keys_are_noted_by_admins on certus.api_keys is 'Admins of the account, in their own name';
create policy api_keys_are_changed_by_admins on certus.api_keys
  for update to authenticated
  using (account_id in (select certus.admin_accounts())) with check (account_id in (select certus.admin_accounts()));
comment on policy api_keys_are_changed_by_admins on certus.api_keys is 'Admins of the account: the name, and when it was revoked';
create policy api_keys_are_forgotten_by_admins on certus.api_keys
  for delete to authenticated using (account_id in (select certus.admin_accounts()));
comment on policy api_keys_are_forgotten_by_admins on certus.api_keys is 'Admins of the account';

grant select, insert (account_id, name, hint, expires_at), update (name, revoked_at), delete on certus.api_keys to authenticated;
grant select, insert, update, delete on certus.api_keys to service_role;
