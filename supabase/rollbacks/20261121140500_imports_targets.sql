-- Takes back the questions about targets.
drop function jobs_private.rows_touch_each_other;
drop function jobs_private.target_fingerprint;
