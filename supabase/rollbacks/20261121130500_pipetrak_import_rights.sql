-- Takes back the question of imports and the worker's right to vacuum.
revoke maintain on pipetrak.drawings, pipetrak.components, pipetrak.component_milestones from longshore_worker;
revoke usage on schema pipetrak from longshore_worker;
drop function pipetrak.authorize_import(jsonb);
