-- The storage schema of a hosted project: buckets, objects, the functions that policies call, and the guard against
-- rows deleted behind the server's back. Run as supabase_admin. Left out: the S3 multipart tables, analytics and
-- vector buckets, and the search functions, which only the server calls (local/storage/list.ts has its own).
create schema storage;
grant usage on schema storage to postgres, anon, authenticated, service_role, dashboard_user;
grant all on schema storage to supabase_storage_admin;
alter role supabase_storage_admin set search_path = storage;

-- As hosted, the server's own role owns everything here, and `postgres` does not.
set role supabase_storage_admin;

create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');

create table storage.buckets (
  id text not null,
  name text not null,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  public boolean default false,
  avif_autodetection boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  owner_id text,
  type storage.buckettype not null default 'STANDARD',
  versioning_status text not null default 'DISABLED',
  constraint buckets_pkey primary key (id),
  constraint buckets_versioning_status_check check (versioning_status in ('DISABLED', 'ENABLED', 'SUSPENDED')),
  constraint buckets_versioning_dark_check check (versioning_status = 'DISABLED')
);
create unique index bname on storage.buckets (name);
comment on table storage.buckets is 'A named set of objects, with its limits';
comment on column storage.buckets.owner is 'Field is deprecated, use owner_id instead';
comment on column storage.buckets.public is 'Whether anyone may read its objects without a policy';
comment on column storage.buckets.file_size_limit is 'Bytes of one object; null for the limit of the project';

create table storage.objects (
  id uuid not null default gen_random_uuid(),
  bucket_id text,
  name text,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  version text,
  owner_id text,
  user_metadata jsonb,
  archived_at timestamptz,
  is_delete_marker boolean not null default false,
  is_versioned boolean not null default false,
  constraint objects_pkey primary key (id),
  constraint "objects_bucketId_fkey" foreign key (bucket_id) references storage.buckets (id)
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);
create index idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");
create index idx_objects_bucket_id_name_lower on storage.objects (bucket_id, lower(name) collate "C");
comment on table storage.objects is 'One row per file; the bytes are kept by the server under the row''s version';
comment on column storage.objects.owner is 'Field is deprecated, use owner_id instead';
comment on column storage.objects.version is 'Changes with the bytes: every upload gets a new one';
comment on column storage.objects.metadata is 'What the server knows: eTag, size, mimetype, cacheControl and more';
comment on column storage.objects.user_metadata is 'What the uploader said';

alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant all on storage.buckets, storage.objects to postgres with grant option;

-- The folders of a name: "a/b/c.csv" gives {a,b}.
create function storage.foldername(name text) returns text[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_parts text[] := string_to_array(name, '/');
begin
  return v_parts[1 : array_length(v_parts, 1) - 1];
end
$$;
comment on function storage.foldername(text) is 'The folders of an object''s name, outermost first';
grant execute on function storage.foldername(text) to public;

-- The last part of a name: "a/b/c.csv" gives "c.csv".
create function storage.filename(name text) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  v_parts text[] := string_to_array(name, '/');
begin
  return v_parts[array_length(v_parts, 1)];
end
$$;
comment on function storage.filename(text) is 'The last part of an object''s name';
grant execute on function storage.filename(text) to public;

-- What follows the last dot of the file's name; the whole file's name where there is no dot, as hosted.
create function storage.extension(name text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return reverse(split_part(reverse(storage.filename(name)), '.', 1));
end
$$;
comment on function storage.extension(text) is 'What follows the last dot of an object''s name';
grant execute on function storage.extension(text) to public;

-- What the server is doing in this transaction, such as "storage.object.upload"; null outside of it.
create function storage.operation() returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return current_setting('storage.operation', true);
end
$$;
comment on function storage.operation() is 'What the Storage server is doing in this transaction';
grant execute on function storage.operation() to public;

-- For policies: whether the server is doing one of these, named with or without "storage." in front.
create function storage.allow_any_operation(expected_operations text[]) returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select from unnest(expected_operations) as expected(operation)
    where expected.operation <> ''
      and regexp_replace(expected.operation, '^storage\.', '')
        = regexp_replace(storage.operation(), '^storage\.', '')
  )
$$;
comment on function storage.allow_any_operation(text[]) is 'Whether the Storage server is doing one of these operations';
grant execute on function storage.allow_any_operation(text[]) to public;

-- For policies: whether the server is doing just this.
create function storage.allow_only_operation(expected_operation text) returns boolean
language sql stable
set search_path = ''
as $$
  select storage.allow_any_operation(array[expected_operation])
$$;
comment on function storage.allow_only_operation(text) is 'Whether the Storage server is doing this operation';
grant execute on function storage.allow_only_operation(text) to public;

-- A trigger: a row that changes says when.
create function storage.update_updated_at_column() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.updated_at = now();
  return new;
end
$$;
comment on function storage.update_updated_at_column() is 'Keeps objects.updated_at';
grant execute on function storage.update_updated_at_column() to public;
create trigger update_objects_updated_at before update on storage.objects
  for each row execute function storage.update_updated_at_column();

-- A trigger: rows go only through the server, or their bytes would stay behind. For every role, owners included.
create function storage.protect_delete() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
    raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
      using hint = 'This prevents accidental data loss from orphaned objects.', errcode = '42501';
  end if;
  return null;
end
$$;
comment on function storage.protect_delete() is 'Refuses deletes that the Storage server did not start';
grant execute on function storage.protect_delete() to public;
create trigger protect_buckets_delete before delete on storage.buckets
  for each statement execute function storage.protect_delete();
create trigger protect_objects_delete before delete on storage.objects
  for each statement execute function storage.protect_delete();

-- A trigger: the length that the API refuses too.
create function storage.enforce_bucket_name_length() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if length(new.name) > 100 then
    raise exception 'bucket name "%" is too long (% characters). Max is 100.', new.name, length(new.name);
  end if;
  return new;
end
$$;
comment on function storage.enforce_bucket_name_length() is 'Refuses bucket names of more than 100 characters';
grant execute on function storage.enforce_bucket_name_length() to public;
create trigger enforce_bucket_name_length_trigger before insert or update of name on storage.buckets
  for each row execute function storage.enforce_bucket_name_length();

reset role;
