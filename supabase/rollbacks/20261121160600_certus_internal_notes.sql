drop table certus.internal_notes;
drop function certus.check_mentions();
drop function certus_private.readers_of(uuid, uuid[]);
