-- Takes back the finding of repeated keys.
drop function jobs_private.earlier_rows_decide;
drop function jobs_private.mark_duplicates;
drop function jobs_private.find_duplicates;
drop function jobs_private.analyze_import;
drop function jobs_private.analyze_lookups(jsonb);
