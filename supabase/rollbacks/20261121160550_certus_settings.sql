drop function certus.set_busy_mode(uuid, boolean, integer);
drop table certus.settings;
drop function certus.touch();
