-- Takes back the making of statements.
drop function jobs_private.compile_import;
