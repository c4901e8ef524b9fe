-- Takes back the making of statements. The extension fuzzystrmatch stays: it may have been there before.
drop function jobs_private.compile_import;
drop function jobs_private.rows_touch_each_other;
drop function jobs_private.target_fingerprint;
