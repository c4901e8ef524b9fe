drop table jobs.import_problems;
