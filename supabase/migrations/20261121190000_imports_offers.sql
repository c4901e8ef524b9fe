-- The list of datasets is for choosing from: it shows those that the caller may import into somewhere. Where exactly is
-- asked when an import is started.

-- Whether the caller may write the components of any project. Moves nothing, locks nothing; for signed-in people.
create function pipetrak.may_import() returns boolean
language sql stable
set search_path = ''
as $$
  select exists (select from pipetrak.writable_projects())
$$;
comment on function pipetrak.may_import is 'Whether there is a project whose components the caller may write';
revoke all on function pipetrak.may_import from public;
grant execute on function pipetrak.may_import to authenticated;

-- Whether the caller is an admin of any account. Moves nothing, locks nothing; for signed-in people.
create function certus.may_import() returns boolean
language sql stable
set search_path = ''
as $$
  select exists (select from certus.admin_accounts())
$$;
comment on function certus.may_import is 'Whether there is an account whose admin the caller is';
revoke all on function certus.may_import from public;
grant execute on function certus.may_import to authenticated;
