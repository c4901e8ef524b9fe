-- Takes back the texts of questions. The extension fuzzystrmatch stays: it may have been there before.
drop function jobs_private.type_query;
drop function jobs_private.create_query;
drop function jobs_private.unresolved_query;
drop function jobs_private.nearest_query;
drop function jobs_private.lookup_join;
drop function jobs_private.check_lookup;
drop function jobs_private.within_scope;
drop function jobs_private.shown;
