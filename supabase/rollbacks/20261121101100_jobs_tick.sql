drop function jobs_private.tick();
drop function jobs_private.outlived_jobs();
drop function jobs_private.files_deleted(uuid[]);
drop function jobs_private.expired_files();
drop function jobs_private.expire_checks();
drop function jobs_private.recover_leases();
