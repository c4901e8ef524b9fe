-- Takes back the naming of problems.
drop function jobs_private.keep_problems;
drop function jobs_private.classify_rows;
drop function jobs_private.problem_of_error;
