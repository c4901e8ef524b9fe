-- Only a member may drop what the role was granted.
grant longshore_worker to postgres;
drop owned by longshore_worker;
drop role longshore_worker;
