drop table certus_private.reservations;
