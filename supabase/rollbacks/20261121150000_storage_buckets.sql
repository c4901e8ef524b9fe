-- Takes back the buckets, which must be empty: files are removed through the Storage API first. The setting is what
-- Storage asks for before it lets SQL delete.
set local storage.allow_delete_query = 'true';
delete from storage.buckets where id in ('imports', 'exports', 'drawings', 'attachments');
