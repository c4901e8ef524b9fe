-- An import asks once, before the file is read, whether its owner may write here at all, and learns whose job it is. Its
-- checks leave dead rows behind, which the worker may vacuum away though it owns nothing.

-- Who may import into a scope {account_id}: the account's organization if the caller is an admin of the account, else
-- null; null too for anything that is not such a scope. Moves nothing, locks nothing.
create function certus.authorize_import(p_scope jsonb) returns uuid
language sql stable
set search_path = ''
as $$
  select a.org_id
  from certus.accounts a
  where a.id = case
      when pg_input_is_valid(p_scope ->> 'account_id', 'uuid') then (p_scope ->> 'account_id')::uuid
    end
    and a.id in (select certus.admin_accounts());
$$;
comment on function certus.authorize_import is
  'The organization of the scope''s account if the caller is its admin, else null';
revoke all on function certus.authorize_import from public;
grant execute on function certus.authorize_import to authenticated;

grant maintain on certus_private.call_logs, certus_private.order_logs, certus_private.reservations to longshore_worker;
