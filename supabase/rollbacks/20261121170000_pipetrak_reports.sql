drop function pipetrak.authorize_problems_export(jsonb);
drop function pipetrak.authorize_export(jsonb);
drop function pipetrak.progress_report(jsonb);
drop view pipetrak.import_problems_report;
drop view pipetrak.drawings_report;
drop view pipetrak.components_report;
