drop function jobs_private.fetch_export(text, integer);
drop function jobs_private.export_lines(integer);
drop function jobs_private.open_export(uuid, jsonb);
drop function jobs_private.compile_export(jsonb);
drop function jobs_private.export_expression(jsonb, text);
drop function jobs_private.export_condition(jsonb);
