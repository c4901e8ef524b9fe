drop owned by longshore_worker;
drop role longshore_worker;
