-- Tables of the shape of pipetrak.components: uuid key, unique (project, tag), reference to a project, row security.
create table public.bench_rows (
  id uuid primary key default gen_random_uuid(),
  project_id uuid not null references pipetrak.projects (id),
  tag text not null,
  description text,
  type text not null,
  drawing text not null,
  area text,
  system text,
  test_package text,
  spec text,
  size text,
  quantity numeric,
  weight_kg numeric,
  remarks text,
  created_at timestamptz not null default now(),
  constraint bench_rows_tag_is_unique unique (project_id, tag),
  constraint bench_rows_quantity_is_positive check (quantity > 0),
  constraint bench_rows_weight_is_not_negative check (weight_kg >= 0)
);
alter table public.bench_rows enable row level security;
create policy bench_rows_read on public.bench_rows for select to authenticated
using (project_id in (select pipetrak.readable_projects()));
create policy bench_rows_insert on public.bench_rows for insert to authenticated
with check (project_id in (select pipetrak.writable_projects()));
grant select, insert, update, delete on public.bench_rows to authenticated;
grant maintain on public.bench_rows to longshore_worker;

-- The areas that a project knows, for files in which some are misspelt.
create table public.bench_areas (
  project_id uuid not null references pipetrak.projects (id),
  name text not null,
  primary key (project_id, name)
);
alter table public.bench_areas enable row level security;
create policy bench_areas_read on public.bench_areas for select to authenticated
using (project_id in (select pipetrak.readable_projects()));
grant select on public.bench_areas to authenticated;

create table public.bench_triggered_rows (like public.bench_rows including all);
alter table public.bench_triggered_rows add foreign key (project_id) references pipetrak.projects (id);
alter table public.bench_triggered_rows drop constraint bench_rows_quantity_is_positive;
alter table public.bench_triggered_rows enable row level security;
create policy bench_triggered_rows_read on public.bench_triggered_rows for select to authenticated
using (project_id in (select pipetrak.readable_projects()));
create policy bench_triggered_rows_insert on public.bench_triggered_rows for insert to authenticated
with check (project_id in (select pipetrak.writable_projects()));
grant select, insert, update, delete on public.bench_triggered_rows to authenticated;
grant maintain on public.bench_triggered_rows to longshore_worker;

create function public.bench_refuse_rows() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.quantity <= 0 then
    raise exception 'Quantity must be positive';
  end if;
  return new;
end;
$$;
create trigger bench_refuse_rows before insert on public.bench_triggered_rows
for each row execute function public.bench_refuse_rows();
