-- Takes back Certus's accounts and the schema, which must be empty otherwise.
drop table certus.member_locations;
drop table certus.account_members;
drop table certus.locations;
drop table certus.accounts;
drop function certus.fill_account_org();
drop function certus.operable_locations();
drop function certus.readable_locations();
drop function certus.readable_accounts();
drop function certus.admin_accounts();
drop function certus.caller_accounts();
drop schema certus;
