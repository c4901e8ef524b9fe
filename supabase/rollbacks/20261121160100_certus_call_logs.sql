drop table certus_private.call_logs;
drop schema certus_private;
revoke usage on schema certus from longshore_worker;
drop owned by certus_reader;
drop role certus_reader;
