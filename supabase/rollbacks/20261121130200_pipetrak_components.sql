-- Takes back drawings and components, with everything in them.
drop table pipetrak.components;
drop table pipetrak.drawings;
drop function pipetrak.touch();
