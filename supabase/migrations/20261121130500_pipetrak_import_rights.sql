-- An import asks once, before the file is read, whether its owner may write here at all, and learns whose job it is. Its
-- checks leave dead rows behind, which the worker may vacuum away though it owns nothing.

-- Who may import into a scope {project_id}: the project's organization if the caller may write its components, else
-- null; null too for anything that is not such a scope. Moves nothing, locks nothing.
create function pipetrak.authorize_import(p_scope jsonb) returns uuid
language sql stable
set search_path = ''
as $$
  select p.org_id
  from pipetrak.projects p
  where p.id = case
      when pg_input_is_valid(p_scope ->> 'project_id', 'uuid') then (p_scope ->> 'project_id')::uuid
    end
    and p.id in (select pipetrak.writable_projects());
$$;
comment on function pipetrak.authorize_import is
  'The organization of the scope''s project if the caller may write its components, else null';
revoke all on function pipetrak.authorize_import from public;
grant execute on function pipetrak.authorize_import to authenticated;

grant usage on schema pipetrak to longshore_worker;
grant maintain on pipetrak.drawings, pipetrak.components, pipetrak.component_milestones to longshore_worker;
