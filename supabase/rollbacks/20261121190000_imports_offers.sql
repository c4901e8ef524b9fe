-- The list of datasets shows all of them to everybody.
drop function certus.may_import();
drop function pipetrak.may_import();
