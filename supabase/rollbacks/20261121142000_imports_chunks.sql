-- Takes back the way of a chunk. Imports that are at work fail with their next step.
drop function jobs_private.import_step;
drop function jobs_private.next_chunk;
drop function jobs_private.keep_problems;
drop function jobs_private.classify_rows;
drop function jobs_private.import_chunk;
drop function jobs_private.write_in_blocks;
drop function jobs_private.problem_of_error;
drop function jobs_private.mark_duplicates;
drop function jobs_private.find_duplicates;
drop function jobs_private.become_worker;
drop function jobs_private.become_importer;
drop function jobs_private.prepare_import;
drop function jobs_private.check_import;
drop function jobs_private.import_of;
