drop table certus.api_keys;
