-- Takes back the audit trail of milestones, and with it what it says.
drop trigger component_milestones_record_changes on pipetrak.component_milestones;
drop table pipetrak.milestone_changes;
drop function pipetrak.refuse_change_of_the_trail();
drop function pipetrak.record_milestone_changes();
