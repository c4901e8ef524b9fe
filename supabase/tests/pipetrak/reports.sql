-- What the reports read, by persona: never more than the tables show.
begin;
select plan(27);
select tests.create_people('Olga', 'Eve', 'Val', 'Mia', 'Stranger');
insert into public.organizations (id, name) values (md5('org')::uuid, 'Org'), (md5('other')::uuid, 'Other');
insert into public.memberships (org_id, user_id, role)
select md5('org')::uuid, tests.person(n), case n when 'Olga' then 'owner' else 'member' end
from unnest(array['Olga', 'Eve', 'Val', 'Mia']) n;
insert into public.memberships (org_id, user_id, role) values (md5('other')::uuid, tests.person('Stranger'), 'owner');
insert into pipetrak.projects (id, org_id, name) values
  (md5('plant')::uuid, md5('org')::uuid, 'Plant'), (md5('secret')::uuid, md5('org')::uuid, 'Secret');
insert into pipetrak.project_members (project_id, user_id, role) values
  (md5('plant')::uuid, tests.person('Eve'), 'engineer'), (md5('plant')::uuid, tests.person('Val'), 'viewer');
insert into pipetrak.drawings (id, project_id, number) values
  (md5('d1')::uuid, md5('plant')::uuid, 'D-1'), (md5('d2')::uuid, md5('plant')::uuid, 'D-2'),
  (md5('d3')::uuid, md5('secret')::uuid, 'D-3');
insert into pipetrak.components (project_id, drawing_id, tag, component_type, area)
values
  (md5('plant')::uuid, md5('d1')::uuid, 'A', 'spool', 'N'), (md5('plant')::uuid, md5('d1')::uuid, 'B', 'valve', null),
  (md5('secret')::uuid, md5('d3')::uuid, 'X', 'spool', 'N');
insert into jobs.jobs (id, kind, org_id, owner_id) values
  (md5('check')::uuid, 'import_check', md5('org')::uuid, tests.person('Eve')),
  (md5('export')::uuid, 'export', md5('org')::uuid, tests.person('Eve'));
insert into jobs.import_problems (job_id, row, code, message) values (md5('check')::uuid, 2, 'required', 'x');

create function pg_temp.sees() returns text language sql as $$
  select concat_ws(' ',
    (select string_agg(tag, ',' order by tag) from pipetrak.components_report),
    (select string_agg(number || '=' || components, ',' order by number) from pipetrak.drawings_report),
    (select count(*) from pipetrak.import_problems_report));
$$;
create function pg_temp.progress(p_project text, p_by text) returns text language sql as $$
  select string_agg(concat_ws('|', by, coalesce(name, '-'), components, percent_complete), ' ' order by by, name)
  from pipetrak.progress_report(jsonb_build_object('project_id', md5(p_project)::uuid, 'by', p_by::jsonb));
$$;
create function pg_temp.organization() returns uuid language sql as $$
  select pipetrak.authorize_export(jsonb_build_object('project_id', md5('plant')::uuid));
$$;
create function pg_temp.problems_organization(p_job text) returns uuid language sql as $$
  select pipetrak.authorize_problems_export(jsonb_build_object('import_id', md5(p_job)::uuid));
$$;

select tests.act_as('Olga');
select is(pg_temp.sees(), 'A,B,X D-1=2,D-2=0,D-3=1 1', 'the organization''s owner sees every project');
select is(pg_temp.organization(), md5('org')::uuid, 'and may export it');
select is(pg_temp.problems_organization('check'), md5('org')::uuid, 'and the problems of every import');
select tests.act_as('Eve');
select is(pg_temp.sees(), 'A,B D-1=2,D-2=0 1', 'an engineer sees the own project');
select is(pg_temp.organization(), md5('org')::uuid, 'and may export it');
select is(pg_temp.problems_organization('check'), md5('org')::uuid, 'and the problems of the own import');
select is(pg_temp.problems_organization('export'), null, 'of an import, not of another job');
select tests.act_as('Val');
select is(pg_temp.sees(), 'A,B D-1=2,D-2=0 0', 'a viewer sees the own project, and nobody else''s imports');
select is(pg_temp.organization(), md5('org')::uuid, 'and may export it');
select is(pg_temp.problems_organization('check'), null, 'but not the problems of another''s import');
select is(pg_temp.progress('plant', '"area"'), 'area|N|1|0.00 area|-|1|0.00', 'progress by one thing');
select is(pg_temp.progress('plant', '["area", "drawing"]'), 'area|N|1|0.00 area|-|1|0.00 drawing|D-1|2|0.00', 'by two');
select is(pg_temp.progress('secret', '"area"'), null, 'of another project none');
select tests.act_as('Mia');
select is(pg_temp.sees(), '0', 'a colleague who is not in the project sees nothing');
select is(pg_temp.organization(), null, 'and may not export it');
select tests.act_as('Stranger');
select is(pg_temp.sees(), '0', 'a stranger sees nothing');
select is(pg_temp.organization(), null, 'and may not export it');
select is(pg_temp.problems_organization('check'), null, 'nor the problems of an import');
select tests.act_as_anonymous();
select throws_ok('select * from pipetrak.components_report', '42501', null, 'nobody reads without signing in');
select throws_ok('select pipetrak.authorize_export(null)', '42501', null, 'nor asks');

select tests.act_as('Olga');
select is(pipetrak.authorize_export(s.filters), null, 'no project: ' || coalesce(s.filters::text, 'null'))
from (values (null::jsonb), ('{}'), ('[]'), ('{"project_id": null}'), ('{"project_id": "x"}'),
  ('{"project_id": {"id": 1}}'), (format('{"project_id": "%s"}', md5('nowhere')::uuid)::jsonb)) s (filters);

select * from finish();
rollback;
