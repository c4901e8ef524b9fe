-- Takes back what imports tell people; problems that were shown stay with their jobs.
drop function jobs_private.problems_file_query;
drop function jobs_private.publish_problems;
drop function jobs_private.told;
drop function jobs_private.cell_name;
drop function jobs_private.count_problems;
drop function jobs_private.checked_rows;
drop function jobs_private.record_problems;
drop function jobs_private.forget_problems;
drop function jobs_private.keep_suggestions;
drop function jobs_private.suggest_references;
drop function jobs_private.analyze_problems;
