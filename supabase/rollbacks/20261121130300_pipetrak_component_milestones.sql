-- Takes back the milestones of components; the components stay, and their percentages stand still.
drop trigger components_remake_milestones on pipetrak.components;
drop trigger components_drop_milestones on pipetrak.components;
drop trigger components_make_milestones on pipetrak.components;
drop table pipetrak.component_milestones;
drop function pipetrak.keep_percent_complete();
drop function pipetrak.stamp_milestone();
drop function pipetrak.remake_milestones();
drop function pipetrak.drop_milestones();
drop function pipetrak.make_milestones();
