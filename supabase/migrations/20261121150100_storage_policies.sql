-- Who may touch which file follows from the folders in its name, which are compared as text: a name that is no valid path
-- matches nothing and is refused, and no cast can fail. There is no policy for what only the service does (writing
-- exports), and none says more than the tables' own. storage-policies/<bucket>.json describes them.

-- "organization/project" of every project that the caller may read, as a file's name begins. Moves nothing, locks
-- nothing.
create function pipetrak.readable_folders() returns setof text
language sql stable rows 20
set search_path = ''
as $$
  select p.org_id || '/' || p.id
  from pipetrak.projects p
  where p.id in (select pipetrak.readable_projects());
$$;
comment on function pipetrak.readable_folders is 'Folders "organization/project" of the projects that the caller may read';
revoke all on function pipetrak.readable_folders from public;
grant execute on function pipetrak.readable_folders to authenticated, service_role;

-- The same for projects that the caller may write.
create function pipetrak.writable_folders() returns setof text
language sql stable rows 20
set search_path = ''
as $$
  select p.org_id || '/' || p.id
  from pipetrak.projects p
  where p.id in (select pipetrak.writable_projects());
$$;
comment on function pipetrak.writable_folders is 'Folders "organization/project" of the projects that the caller may write';
revoke all on function pipetrak.writable_folders from public;
grant execute on function pipetrak.writable_folders to authenticated, service_role;

-- imports/<organization>/…
create policy imports_are_uploaded_by_contributors on storage.objects
  for insert to authenticated
  with check (
    bucket_id = 'imports'
    and (storage.foldername(name))[1] in (select o::text from public.contributor_orgs() o)
    and owner_id = (select auth.uid())::text
  );

create policy imports_are_read_by_uploaders_and_admins on storage.objects
  for select to authenticated
  using (
    bucket_id = 'imports'
    and (
      (storage.foldername(name))[1] in (select o::text from public.admin_orgs() o)
      or (
        owner_id = (select auth.uid())::text
        and (storage.foldername(name))[1] in (select o::text from public.contributor_orgs() o)
      )
    )
  );

create policy imports_are_replaced_by_uploaders_and_admins on storage.objects
  for update to authenticated
  using (
    bucket_id = 'imports'
    and (
      (storage.foldername(name))[1] in (select o::text from public.admin_orgs() o)
      or (
        owner_id = (select auth.uid())::text
        and (storage.foldername(name))[1] in (select o::text from public.contributor_orgs() o)
      )
    )
  )
  with check (
    bucket_id = 'imports'
    and (
      (storage.foldername(name))[1] in (select o::text from public.admin_orgs() o)
      or (
        owner_id = (select auth.uid())::text
        and (storage.foldername(name))[1] in (select o::text from public.contributor_orgs() o)
      )
    )
  );

create policy imports_are_deleted_by_uploaders_and_admins on storage.objects
  for delete to authenticated
  using (
    bucket_id = 'imports'
    and (
      (storage.foldername(name))[1] in (select o::text from public.admin_orgs() o)
      or (
        owner_id = (select auth.uid())::text
        and (storage.foldername(name))[1] in (select o::text from public.contributor_orgs() o)
      )
    )
  );

-- exports/<organization>/<job>/…: the policy of jobs.jobs decides, as it applies to the caller here.
create policy exports_are_read_by_readers_of_the_job on storage.objects
  for select to authenticated
  using (
    bucket_id = 'exports'
    and exists (
      select
      from jobs.jobs j
      where j.id = case
          when pg_input_is_valid((storage.foldername(objects.name))[2], 'uuid')
            then ((storage.foldername(objects.name))[2])::uuid
        end
        and j.org_id::text = (storage.foldername(objects.name))[1]
    )
  );

-- drawings/<organization>/<project>/…
create policy drawings_are_uploaded_by_engineers on storage.objects
  for insert to authenticated
  with check (
    bucket_id = 'drawings'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
    and lower(storage.extension(name)) in ('pdf', 'dwg', 'dxf')
  );

create policy drawings_are_read_by_the_project on storage.objects
  for select to authenticated
  using (
    bucket_id = 'drawings'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.readable_folders())
  );

create policy drawings_are_replaced_by_engineers on storage.objects
  for update to authenticated
  using (
    bucket_id = 'drawings'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
  )
  with check (
    bucket_id = 'drawings'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
    and lower(storage.extension(name)) in ('pdf', 'dwg', 'dxf')
  );

create policy drawings_are_deleted_by_engineers on storage.objects
  for delete to authenticated
  using (
    bucket_id = 'drawings'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
  );

-- attachments/<organization>/<project>/…
create policy attachments_are_uploaded_by_engineers on storage.objects
  for insert to authenticated
  with check (
    bucket_id = 'attachments'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
  );

create policy attachments_are_read_by_the_project on storage.objects
  for select to authenticated
  using (
    bucket_id = 'attachments'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.readable_folders())
  );

create policy attachments_are_replaced_by_engineers on storage.objects
  for update to authenticated
  using (
    bucket_id = 'attachments'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
  )
  with check (
    bucket_id = 'attachments'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
  );

create policy attachments_are_deleted_by_engineers on storage.objects
  for delete to authenticated
  using (
    bucket_id = 'attachments'
    and array_to_string((storage.foldername(name))[1:2], '/') in (select pipetrak.writable_folders())
  );
