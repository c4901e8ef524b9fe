-- A bad row is data: what an import refuses is kept beside the job, one row a problem, for whoever may read the job.
create table jobs.import_problems (
  id bigint generated always as identity primary key,
  job_id uuid not null references jobs.jobs (id) on delete cascade,
  row bigint not null,
  line bigint,
  sheet text,
  cell text,
  "column" text,
  heading text,
  code text not null,
  message text not null,
  value text
);
create index import_problems_of_job on jobs.import_problems (job_id, row);

comment on table jobs.import_problems is 'Problems of single rows of an import, the first 10,000 of each job';
comment on column jobs.import_problems.row is 'The record''s number as a spreadsheet shows it';
comment on column jobs.import_problems.line is 'The physical line of a CSV';
comment on column jobs.import_problems.cell is 'The cell of a workbook, such as D17';
comment on column jobs.import_problems."column" is 'The dataset''s column';
comment on column jobs.import_problems.heading is 'The file''s heading';
comment on column jobs.import_problems.value is 'What was found; masked where the column is sensitive';

alter table jobs.import_problems enable row level security;
revoke all on jobs.import_problems from public, anon, authenticated, service_role;
grant select on jobs.import_problems to authenticated, service_role;

-- Asked under the reader's own rights: row security of jobs.jobs decides. By the job's id, since a list of all jobs that
-- one may read would be made first otherwise.
create policy import_problems_are_read_by_readers_of_the_job on jobs.import_problems for select to authenticated
using (exists (select from jobs.jobs j where j.id = job_id));
comment on policy import_problems_are_read_by_readers_of_the_job on jobs.import_problems is 'Whoever may read the job';
