-- What people hand on of a project, as queries that its readers may run: an export reads them as the person who asked, so
-- the policies of the tables decide which rows there are. The views show nothing that the tables do not.

create view pipetrak.components_report with (security_invoker = true) as
  select
    c.id, c.project_id, c.tag, c.description, c.component_type as type, d.number as drawing, c.area, c.system,
    c.test_package, c.spec, c.size, c.quantity, c.weight_kg, c.percent_complete, c.updated_at
  from pipetrak.components c
  join pipetrak.drawings d on d.id = c.drawing_id and d.project_id = c.project_id;
comment on view pipetrak.components_report is 'Components with the number of their drawing and their progress, as the caller sees them';

create view pipetrak.drawings_report with (security_invoker = true) as
  select
    d.id, d.project_id, d.number, d.revision, d.title, coalesce(c.components, 0) as components, c.percent_complete,
    d.created_at, d.updated_at
  from pipetrak.drawings d
  left join (
    select
      c.drawing_id, c.project_id, count(*) as components, round(avg(c.percent_complete), 2) as percent_complete
    from pipetrak.components c
    group by c.drawing_id, c.project_id
  ) c on c.drawing_id = d.id and c.project_id = d.project_id;
comment on view pipetrak.drawings_report is 'The drawing register with the components of each drawing and their mean progress, as the caller sees them';

create view pipetrak.import_problems_report with (security_invoker = true) as
  select
    p.job_id as import_id, p.row, p.line, p.sheet, p.cell, p.heading, p."column", p.code, p.message, p.value
  from jobs.import_problems p;
comment on view pipetrak.import_problems_report is 'Problems of imports, as the caller sees them';

revoke all on pipetrak.components_report, pipetrak.drawings_report, pipetrak.import_problems_report
from public, anon, authenticated, service_role;
grant select on pipetrak.components_report, pipetrak.drawings_report, pipetrak.import_problems_report
to authenticated, service_role;

-- The progress of a project {project_id} by each of the things in "by": area, system, test_package, drawing; one or a
-- list. Components without one are under null. Every component counts the same, whatever it weighs. Reads as the caller,
-- moves nothing, locks nothing.
create function pipetrak.progress_report(p_filters jsonb)
returns table (
  by text,
  name text,
  components bigint,
  not_started bigint,
  in_progress bigint,
  complete bigint,
  percent_complete numeric,
  weight_kg numeric
)
language sql stable
set search_path = ''
as $$
  select
    b.by, b.name, count(*), count(*) filter (where c.percent_complete = 0),
    count(*) filter (where c.percent_complete > 0 and c.percent_complete < 100),
    count(*) filter (where c.percent_complete = 100), round(avg(c.percent_complete), 2), sum(c.weight_kg)
  from pipetrak.components_report c
  cross join lateral (
    values ('area', c.area), ('system', c.system), ('test_package', c.test_package), ('drawing', c.drawing)
  ) b (by, name)
  where c.project_id = (p_filters ->> 'project_id')::uuid
    and p_filters -> 'by' ? b.by
  group by b.by, b.name;
$$;
comment on function pipetrak.progress_report is 'Progress of a project by area, system, test package or drawing, as the caller sees it';
revoke all on function pipetrak.progress_report from public;
grant execute on function pipetrak.progress_report to authenticated, service_role;

-- Whose export one of a project {project_id} is: its organization if the caller may read the project, else null; null too
-- for anything that names no project. Moves nothing, locks nothing.
create function pipetrak.authorize_export(p_filters jsonb) returns uuid
language sql stable
set search_path = ''
as $$
  select p.org_id
  from pipetrak.projects p
  where p.id = case
      when pg_input_is_valid(p_filters ->> 'project_id', 'uuid') then (p_filters ->> 'project_id')::uuid
    end
    and p.id in (select pipetrak.readable_projects());
$$;
comment on function pipetrak.authorize_export is 'The organization of the filters'' project if the caller may read it, else null';
revoke all on function pipetrak.authorize_export from public;
grant execute on function pipetrak.authorize_export to authenticated;

-- Whose export the problems of an import {import_id} are: the organization of that job if the caller may read it, else
-- null. Moves nothing, locks nothing.
create function pipetrak.authorize_problems_export(p_filters jsonb) returns uuid
language sql stable
set search_path = ''
as $$
  select j.org_id
  from jobs.jobs j
  where j.id = case
      when pg_input_is_valid(p_filters ->> 'import_id', 'uuid') then (p_filters ->> 'import_id')::uuid
    end
    and j.kind in ('import_check', 'import_commit');
$$;
comment on function pipetrak.authorize_problems_export is 'The organization of an import if the caller may read it, else null';
revoke all on function pipetrak.authorize_problems_export from public;
grant execute on function pipetrak.authorize_problems_export to authenticated;
