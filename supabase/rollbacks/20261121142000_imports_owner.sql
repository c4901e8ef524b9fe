-- Takes back whose import it is. Imports that are at work fail with their next step.
drop function jobs_private.become_worker;
drop function jobs_private.become_importer;
drop function jobs_private.prepare_import;
drop function jobs_private.check_import;
drop function jobs_private.import_of;
