-- Takes back the types of component and their milestones.
drop table pipetrak.milestone_templates;
drop table pipetrak.component_types;
