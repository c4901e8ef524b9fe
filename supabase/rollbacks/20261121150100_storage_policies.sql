-- Takes back the policies: nobody but the service reaches the files then.
drop policy attachments_are_deleted_by_engineers on storage.objects;
drop policy attachments_are_replaced_by_engineers on storage.objects;
drop policy attachments_are_read_by_the_project on storage.objects;
drop policy attachments_are_uploaded_by_engineers on storage.objects;
drop policy drawings_are_deleted_by_engineers on storage.objects;
drop policy drawings_are_replaced_by_engineers on storage.objects;
drop policy drawings_are_read_by_the_project on storage.objects;
drop policy drawings_are_uploaded_by_engineers on storage.objects;
drop policy exports_are_read_by_readers_of_the_job on storage.objects;
drop policy imports_are_deleted_by_uploaders_and_admins on storage.objects;
drop policy imports_are_replaced_by_uploaders_and_admins on storage.objects;
drop policy imports_are_read_by_uploaders_and_admins on storage.objects;
drop policy imports_are_uploaded_by_contributors on storage.objects;
drop function pipetrak.writable_folders();
drop function pipetrak.readable_folders();
