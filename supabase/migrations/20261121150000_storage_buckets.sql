-- Buckets are configuration: every function and every policy names them. All are private, and the first folder of every
-- object is the organization's id. Browsers and command lines disagree about the types of the same file (a CSV may come
-- as application/vnd.ms-excel, a drawing as nothing at all), so the lists are generous; the readers look at the bytes.
-- Text is allowed whole and some types in two spellings, since Storage compares letter by letter, parameters included,
-- and supabase-js sends "text/plain;charset=UTF-8" by default.
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values
  ('imports', 'imports', false, 500 * 1024 * 1024, array[
    'text/*', 'application/csv', 'application/x-csv',
    'application/vnd.ms-excel',
    'application/vnd.ms-excel.sheet.macroenabled.12', 'application/vnd.ms-excel.sheet.macroEnabled.12',
    'application/vnd.ms-excel.sheet.binary.macroenabled.12', 'application/vnd.ms-excel.sheet.binary.macroEnabled.12',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.oasis.opendocument.spreadsheet',
    'application/zip', 'application/x-zip-compressed', 'application/octet-stream'
  ]),
  ('exports', 'exports', false, 500 * 1024 * 1024, array[
    'text/*', 'application/x-ndjson',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
  ]),
  ('drawings', 'drawings', false, 50 * 1024 * 1024, array[
    'application/pdf',
    'image/vnd.dwg', 'image/x-dwg', 'application/acad', 'application/x-acad', 'application/dwg', 'application/x-dwg',
    'image/vnd.dxf', 'image/x-dxf', 'application/dxf', 'application/x-dxf',
    'application/octet-stream'
  ]),
  ('attachments', 'attachments', false, 20 * 1024 * 1024, array[
    'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/heic', 'image/heif', 'application/pdf'
  ]);
