-- Takes back PipeTrak's projects and the schema, which must be empty otherwise.
drop table pipetrak.project_members;
drop table pipetrak.projects;
drop function pipetrak.fill_project_org();
drop function pipetrak.readable_projects();
drop function pipetrak.movable_projects();
drop function pipetrak.writable_projects();
drop function pipetrak.admin_projects();
drop function pipetrak.owned_projects();
drop function pipetrak.caller_projects();
drop schema pipetrak;
